// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	loadTick     = 50 * time.Millisecond // between two batches: several per flashblock
	loadTimeout  = 2 * time.Second       // of one batch
	loadMaxBatch = 200                   // transactions at once, after a pause of the generator
	resyncEvery  = 2 * time.Second       // nonces are compared with the pool's, which a restart empties
)

// LoadConfig configures a Load.
type LoadConfig struct {
	RPC  string // URL of the node that transactions are sent to
	Rate int    // transactions per second, 0 for none
	Seed uint64 // of the mix

	// Sent, if not nil, is told of every transaction right before it is sent.
	Sent func(tx common.Hash, at time.Time)
}

// Load sends user transactions at a steady rate: transfers, token transfers and contract calls, from
// accounts that nothing else uses.
type Load struct {
	cfg    LoadConfig
	client *rpc.Client
	mix    *txMix
	cancel context.CancelFunc
	wg     sync.WaitGroup

	senders  []sender // used by the sending goroutine alone
	turn     int
	accepted atomic.Uint64
	rejected atomic.Uint64
}

// sender is an account with the nonce of its next transaction.
type sender struct {
	account
	nonce uint64
}

// NewLoad returns a load that does not send yet.
func NewLoad(cfg LoadConfig) (*Load, error) {
	if cfg.Rate < 0 || cfg.Rate > maxLoad {
		return nil, fmt.Errorf("load of %d transactions per second is out of range: 0 to %d", cfg.Rate, maxLoad)
	}
	var (
		l     = &Load{cfg: cfg}
		peers []common.Address
	)
	for _, acc := range deriveAccounts().load {
		l.senders = append(l.senders, sender{account: acc})
		peers = append(peers, acc.addr)
	}
	l.mix = newTxMix(cfg.Seed, peers)
	return l, nil
}

// Start begins to send.
func (l *Load) Start(ctx context.Context) error {
	client, err := rpc.DialContext(ctx, l.cfg.RPC)
	if err != nil {
		return fmt.Errorf("connect the load generator: %w", err)
	}
	l.client = client
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if l.cfg.Rate > 0 {
		l.wg.Go(func() { l.run(ctx) })
	}
	return nil
}

// Stop ends sending.
func (l *Load) Stop() {
	l.cancel()
	l.wg.Wait()
	l.client.Close()
}

// Counts returns how many transactions the node accepted and rejected.
func (l *Load) Counts() (accepted, rejected uint64) {
	return l.accepted.Load(), l.rejected.Load()
}

// run sends what is due at every tick.
func (l *Load) run(ctx context.Context) {
	ticker := time.NewTicker(loadTick)
	defer ticker.Stop()

	var (
		last   = time.Now()
		synced time.Time
		owed   float64 // transactions due and not sent, with fractions
	)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			owed = min(owed+now.Sub(last).Seconds()*float64(l.cfg.Rate), loadMaxBatch)
			last = now
		}
		if time.Since(synced) > resyncEvery {
			if err := l.resync(ctx); err != nil {
				log.Debug("Cannot read the nonces of the load", "err", err)
				continue
			}
			synced = time.Now()
		}
		count := int(owed)
		owed -= float64(count)
		if err := l.send(ctx, count); err != nil && ctx.Err() == nil {
			log.Debug("Cannot send the load", "err", err)
			synced = time.Time{} // whether the batch arrived is not known
		}
	}
}

// send makes count transactions, the senders taking turns, and sends them as one batch.
func (l *Load) send(ctx context.Context, count int) error {
	if count == 0 {
		return nil
	}
	batch, hashes := make([]rpc.BatchElem, count), make([]common.Hash, count)
	for i := range batch {
		from := &l.senders[l.turn%len(l.senders)]
		l.turn++
		tx, err := l.mix.make(from.account, from.nonce)
		if err != nil {
			return err
		}
		from.nonce++
		raw, err := tx.MarshalBinary()
		if err != nil {
			return err
		}
		hashes[i] = tx.Hash()
		batch[i] = rpc.BatchElem{Method: "eth_sendRawTransaction", Args: []any{hexutil.Bytes(raw)}, Result: new(common.Hash)}
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()

	if l.cfg.Sent != nil {
		now := time.Now()
		for _, tx := range hashes {
			l.cfg.Sent(tx, now)
		}
	}
	if err := l.client.BatchCallContext(ctx, batch); err != nil {
		return err
	}
	var errs []error
	for i := range batch {
		if batch[i].Error != nil {
			errs = append(errs, batch[i].Error)
		}
	}
	l.rejected.Add(uint64(len(errs)))
	l.accepted.Add(uint64(count - len(errs)))
	return errors.Join(errs...)
}

// resync takes every sender's next nonce from the pool.
func (l *Load) resync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()

	batch := make([]rpc.BatchElem, len(l.senders))
	for i := range batch {
		batch[i] = rpc.BatchElem{
			Method: "eth_getTransactionCount",
			Args:   []any{l.senders[i].addr, "pending"},
			Result: new(hexutil.Uint64),
		}
	}
	if err := l.client.BatchCallContext(ctx, batch); err != nil {
		return err
	}
	for i := range batch {
		if batch[i].Error != nil {
			return batch[i].Error
		}
		if nonce, ok := batch[i].Result.(*hexutil.Uint64); ok {
			l.senders[i].nonce = uint64(*nonce)
		}
	}
	return nil
}
