// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// The parts of the paths. A key can therefore not be the word "filter".
const (
	pathKey    = "key"
	pathFilter = "filter"

	// headerKey and the bearer token of Authorization carry the key where it must not show in a URL.
	headerKey = "X-API-Key"

	// paramFormat asks for a form of the v1 stream.
	paramFormat = "format"
)

// ReservedKey is the one word that cannot be an API key, because it is a route.
const ReservedKey = pathFilter

// routes are those of Base's proxy, /readyz, and the same again under /v0.
func (p *Proxy) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", p.readyz)
	for _, v0 := range []bool{false, true} {
		root := "/ws"
		if v0 {
			root = "/v0"
		}
		plain, filtered := p.endpoint(v0, false), p.endpoint(v0, true)
		mux.Handle(root, plain)
		mux.Handle(root+"/"+pathFilter, filtered)
		if p.cfg.KeyRoutes {
			mux.Handle(root+"/{"+pathKey+"}", plain)
			mux.Handle(root+"/{"+pathKey+"}/"+pathFilter, filtered)
		}
	}
	return mux
}

// endpoint serves one route.
func (p *Proxy) endpoint(v0, filtered bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sub := stream.Subscription{Form: stream.FormV0}
		var err error
		if !v0 {
			sub.Form, err = p.form(r.URL.RawQuery)
		}
		var f *filter
		if filtered && err == nil {
			f, err = parseFilter(r.URL.RawQuery)
		}
		// Nothing is said about the query before the key is known to be good.
		ticket, refusal := p.cfg.Admission.Admit(r, requestKey(r))
		if refusal != nil {
			refuse(w, refusal.Message, refusal.Status)
			return
		}
		if !p.awaitSettled(r) {
			ticket.Release()
			return
		}
		if err == nil && f != nil && f.needsReceipts() && p.relay.traits.lacksReceipts() {
			err = errNoReceipts
		}
		if err != nil {
			ticket.Release()
			p.m.badRequests.Inc()
			refuse(w, err.Error(), http.StatusBadRequest)
			return
		}
		if f != nil {
			sub.Filter = f
		}
		sub.OnClose = ticket.Release
		p.hub.ServeSubscription(w, r, sub)
	})
}

// requestKey returns the key of a request: from the path, or else from a header.
func requestKey(r *http.Request) string {
	if key := r.PathValue(pathKey); key != "" {
		return key
	}
	if key := r.Header.Get(headerKey); key != "" {
		return key
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// awaitSettled waits for the first replay to end, or reports false if the client has gone.
func (p *Proxy) awaitSettled(r *http.Request) bool {
	select {
	case <-p.settled:
		return true
	case <-r.Context().Done():
		return false
	}
}

// form returns the form of the v1 stream that a request asks for with ?format=text, binary or brotli,
// or the one this proxy is set to.
func (p *Proxy) form(rawQuery string) (stream.Form, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return 0, errors.New("the query of the URL is malformed")
	}
	formats := query[paramFormat]
	switch {
	case len(formats) > 1:
		return 0, fmt.Errorf("%s is given %d times", paramFormat, len(formats))
	case len(formats) == 0 && p.cfg.Compression:
		return stream.FormBrotli, nil
	case len(formats) == 0 && p.cfg.TextFrames:
		return stream.FormText, nil
	case len(formats) == 0:
		return stream.FormBinary, nil
	}
	switch formats[0] {
	case stream.FormText.String():
		return stream.FormText, nil
	case stream.FormBinary.String():
		return stream.FormBinary, nil
	case stream.FormBrotli.String():
		if !p.cfg.Compression {
			return 0, errors.New("this proxy does not compress with brotli")
		}
		return stream.FormBrotli, nil
	}
	return 0, fmt.Errorf("%s must be %q, %q or %q", paramFormat, stream.FormText, stream.FormBinary, stream.FormBrotli)
}

// refuse answers a request that is turned away, in the JSON of Base's proxy.
func refuse(w http.ResponseWriter, sentence string, status int) {
	body, err := json.Marshal(struct {
		Message string `json:"message"`
	}{sentence})
	if err != nil {
		body = nil // a string always marshals
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// originPolicy admits the browsers of the given origins; other clients send no Origin header.
func originPolicy(origins []string) func(*http.Request) bool {
	allowed := make(map[string]struct{}, len(origins))
	for _, origin := range origins {
		if origin == "*" {
			return nil
		}
		allowed[strings.ToLower(strings.TrimSuffix(origin, "/"))] = struct{}{}
	}
	if len(allowed) == 0 {
		return nil
	}
	return func(r *http.Request) bool {
		origin := r.Header.Get("Origin")
		if origin == "" {
			return true
		}
		_, ok := allowed[strings.ToLower(origin)]
		return ok
	}
}
