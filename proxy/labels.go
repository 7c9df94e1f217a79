// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// Label is a label on every metric.
type Label struct{ Name, Value string }

// ParseLabels reads name=value pairs separated by commas. Entries without a name or a value are left
// out and returned, as Base's proxy skips them.
func ParseLabels(list string) (labels []Label, bad []string) {
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, value, ok := strings.Cut(entry, "=")
		if !ok || value == "" || !validLabelName(name) {
			bad = append(bad, entry)
			continue
		}
		labels = append(labels, Label{name, value})
	}
	return labels, bad
}

// validLabelName reports whether Prometheus takes a name for a label.
func validLabelName(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// MetricsHandler serves a set in the Prometheus text format, with the given labels on every line, and
// the figures of the Go process beside it.
func MetricsHandler(set *metrics.Set, labels []Label) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var buf bytes.Buffer
		set.WritePrometheus(&buf)
		if !bytes.Contains(buf.Bytes(), []byte(sendDuration)) {
			// A histogram without data writes nothing, and "0" must differ from "not scraped".
			fmt.Fprintf(&buf, "%s_sum 0\n%s_count 0\n", sendDuration, sendDuration)
		}
		metrics.WriteProcessMetrics(&buf)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(addLabels(buf.Bytes(), labels))
	})
}

// addLabels puts labels on every line of the Prometheus text format. The sets here write no comments.
func addLabels(text []byte, labels []Label) []byte {
	if len(labels) == 0 {
		return text
	}
	var extra bytes.Buffer
	for i, l := range labels {
		if i > 0 {
			extra.WriteByte(',')
		}
		fmt.Fprintf(&extra, "%s=%q", l.Name, l.Value)
	}
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		space, brace := bytes.IndexByte(line, ' '), bytes.IndexByte(line, '{')
		switch {
		case space < 0 || line[0] == '#':
			out.Write(line)
		case brace >= 0 && brace < space:
			out.Write(line[:brace+1])
			out.Write(extra.Bytes())
			out.WriteByte(',')
			out.Write(line[brace+1:])
		default:
			out.Write(line[:space])
			out.WriteByte('{')
			out.Write(extra.Bytes())
			out.WriteByte('}')
			out.Write(line[space:])
		}
	}
	return out.Bytes()
}
