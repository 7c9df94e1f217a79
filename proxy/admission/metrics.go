// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import "github.com/VictoriaMetrics/metrics"

// scope is the prefix of every figure, as in Base's proxy.
const scope = "websocket_proxy_"

// figures are the gatekeeper's metrics. All of them exist, at zero, from the start. The only label is
// the name of a configured application: clients cannot create series.
type figures struct {
	unauthorized *metrics.Counter // requests without a valid API key
	limited      *metrics.Counter // requests refused by any limit (rollup-boost's name)
	instance     *metrics.Counter // of those: this instance was full
	global       *metrics.Counter // this instance or all were full: what Base's proxy calls global is its instance
	perIP        *metrics.Counter
	perApp       *metrics.Counter

	redisFailures  *metrics.Counter // calls to Redis that failed or took too long
	redisOutages   *metrics.Counter // times that Redis went from up to down
	redisUnchecked *metrics.Counter // connections admitted by the local limits alone because of Redis
	redisUp        *metrics.Gauge   // 1 while the counts are shared

	apps map[*application]appFigures
}

type appFigures struct {
	admitted *metrics.Counter // connections so far, a counter as in Base's proxy
	open     *metrics.Gauge
	limited  *metrics.Counter
}

func newFigures(set *metrics.Set, keys *Keyring) *figures {
	f := &figures{
		unauthorized:   set.GetOrCreateCounter(scope + "unauthorized_requests"),
		limited:        set.GetOrCreateCounter(scope + "rate_limited_requests"),
		instance:       set.GetOrCreateCounter(scope + "instance_rate_limited_requests"),
		global:         set.GetOrCreateCounter(scope + "global_rate_limited_requests"),
		perIP:          set.GetOrCreateCounter(scope + "per_ip_rate_limited_requests"),
		perApp:         set.GetOrCreateCounter(scope + "per_app_rate_limited_requests"),
		redisFailures:  set.GetOrCreateCounter(scope + "redis_failures"),
		redisOutages:   set.GetOrCreateCounter(scope + "redis_outages"),
		redisUnchecked: set.GetOrCreateCounter(scope + "redis_unchecked_admissions"),
		redisUp:        set.GetOrCreateGauge(scope+"redis_up", nil),
		apps:           make(map[*application]appFigures),
	}
	if keys == nil {
		return f
	}
	for _, entry := range keys.entries {
		label := `{app="` + entry.app.name + `"}`
		f.apps[entry.app] = appFigures{
			admitted: set.GetOrCreateCounter(scope + "connections_by_app" + label),
			open:     set.GetOrCreateGauge(scope+"active_connections_by_app"+label, nil),
			limited:  set.GetOrCreateCounter(scope + "rate_limited_requests_by_app" + label),
		}
	}
	return f
}

// refused counts a refusal.
func (f *figures) refused(reason Reason, app *application) {
	if reason == ReasonUnauthorized {
		f.unauthorized.Inc()
		return
	}
	f.limited.Inc()
	switch reason {
	case ReasonInstance:
		f.instance.Inc()
		f.global.Inc()
	case ReasonGlobal:
		f.global.Inc()
	case ReasonPerIP:
		f.perIP.Inc()
	case ReasonPerApp:
		f.perApp.Inc()
		f.apps[app].limited.Inc()
	}
}

func (f *figures) admitted(app *application) {
	if app != nil {
		f.apps[app].admitted.Inc()
		f.apps[app].open.Inc()
	}
}

func (f *figures) released(app *application) {
	if app != nil {
		f.apps[app].open.Dec()
	}
}
