package ledger

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a ledger and its database and can cut their connection.
type proxy struct {
	listener net.Listener
	server   string
	loss     atomic.Int32
	work     sync.WaitGroup
}

// What is lost with the connection that is cut next.
const (
	nothing int32 = iota
	aRequest
	anAnswer
)

// throughProxy puts a proxy before the store.
func throughProxy(t *testing.T, o Options) (Options, *proxy) {
	t.Helper()
	u, err := url.Parse(o.Store)
	must(t, err)
	p := &proxy{server: u.Host}
	p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	u.Host = p.listener.Addr().String()
	o.Store = u.String()
	p.work.Go(p.accept)
	t.Cleanup(func() {
		must(t, p.listener.Close())
		p.work.Wait()
	})
	return o, p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		p.work.Go(func() { p.copy(server, client, aRequest) })
		p.work.Go(func() { p.copy(client, server, anAnswer) })
	}
}

// copy carries what comes from one side to the other, until it is to be lost.
func (p *proxy) copy(to, from net.Conn, loss int32) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		if err != nil || p.loss.CompareAndSwap(loss, nothing) {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
