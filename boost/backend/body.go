// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import "github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"

// keepBody keeps the body of a call, whose memory is used again, until the call's outcome is told.
func keepBody(job Job) Job {
	body, told := job.Req.Body, job.Done
	if body == nil || !body.Hold() {
		return job
	}
	job.Done = func(resp *jsonrpc.Response, err error) {
		body.Release()
		if told != nil {
			told(resp, err)
		}
	}
	return job
}
