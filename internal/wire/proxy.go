package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/secret"
)

// Proxy is an HTTP proxy that every connection goes through, but for those to this machine: the ride asks it for a tunnel
// (CONNECT, RFC 9110 §9.3.6). What it answers is never the stack's answer: where there is no tunnel, there is a failure
// ([Proxied]).
type Proxy struct {
	Address     string         // host:port
	TLS         bool           // it is spoken to over TLS
	Roots       *x509.CertPool // that its own certificate must chain to, with TLS; nil: the system's
	Credentials secret.Text    // user:password, shown as Basic (RFC 7617); empty: none
}

// proxyError is what went wrong between us and the host behind the proxy, before that host had a word.
type proxyError struct {
	proxy, what string
	err         error // may be nil
}

func (e *proxyError) Error() string {
	text := "the proxy " + e.proxy + " " + e.what
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

func (e *proxyError) Unwrap() error { return e.err }

// authorize makes the value of Proxy-Authorization once. The pair, its password and what is made of them are secrets.
func (p *Proxy) authorize(k *secret.Keeper) (string, error) {
	if p == nil || p.Credentials.Empty() {
		return "", nil
	}
	pair := p.Credentials.Reveal()
	user, password, found := strings.Cut(pair, ":")
	if !found || user == "" || strings.ContainsAny(pair, "\r\n\x00") {
		return "", errors.New("the proxy's credentials are not of the form user:password (RFC 7617)")
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(pair))
	for _, part := range []string{pair, password, encoded} {
		k.Keep("proxy credentials", part)
	}
	return basicScheme + encoded, nil
}

// local says whether a host:port is this machine's: a proxy would look for it at its own.
func local(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// dial connects to a host:port, through the proxy where there is one. It names the proxy if it went through it.
func (w *Wire) dial(ctx context.Context, address string, deadline time.Time) (net.Conn, string, error) {
	within := time.Now().Add(dialTimeout)
	if deadline.Before(within) {
		within = deadline
	}
	dialing, cancel := context.WithDeadline(ctx, within)
	defer cancel()
	proxy := w.config.Proxy
	if proxy == nil || local(address) {
		conn, err := w.config.Dial(dialing, "tcp", address)
		return conn, "", err
	}
	conn, err := w.config.Dial(dialing, "tcp", proxy.Address)
	if err != nil {
		return nil, proxy.Address, &proxyError{proxy.Address, "is not reached; correct `proxy` in the plan, or look why", err}
	}
	tunnel, err := w.tunnel(ctx, conn, address, deadline)
	if err != nil {
		_ = conn.Close()
		return nil, proxy.Address, err
	}
	return tunnel, proxy.Address, nil
}

// tunnel asks the proxy for a connection to a host:port and reads its answer, of which it says nothing but the status:
// the rest is a stranger's. "Any 2xx (Successful) response indicates that the sender (and all inbound proxies) will
// switch to tunnel mode immediately after the response header section" (RFC 9110 §9.3.6).
func (w *Wire) tunnel(ctx context.Context, conn net.Conn, address string, deadline time.Time) (net.Conn, error) {
	proxy := w.config.Proxy
	wrong := func(what string, err error) error { return &proxyError{proxy.Address, what, err} }
	err := conn.SetDeadline(deadline)
	if err != nil {
		return nil, wrong("is not reached", err)
	}
	interrupt := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer interrupt()
	if proxy.TLS {
		host, _, _ := net.SplitHostPort(proxy.Address)
		secured := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: proxy.Roots, NextProtos: []string{"http/1.1"}, SessionTicketsDisabled: true})
		err = secured.Handshake()
		if err != nil {
			return nil, wrong("agrees on no TLS; if it speaks none write http://, and if its CA is unknown name it (proxy_ca)", err)
		}
		conn = secured
	}
	request := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: " + w.config.Agent + "\r\n"
	if w.authorization != "" {
		request += "Proxy-Authorization: " + w.authorization + "\r\n"
	}
	_, err = conn.Write([]byte(request + "\r\n"))
	if err != nil {
		return nil, wrong("takes no request", err)
	}
	reader := bufio.NewReader(&meter{from: conn, left: maxHeader})
	answer, err := readHeader(reader, http.MethodConnect)
	if err != nil {
		return nil, wrong("gives no HTTP answer to CONNECT "+address, err)
	}
	switch {
	case answer.StatusCode == http.StatusProxyAuthRequired:
		return nil, wrong(w.unauthorized(answer.Header), nil)
	case answer.StatusCode == http.StatusSwitchingProtocols || answer.StatusCode/100 != 2:
		return nil, wrong(fmt.Sprintf("opens no tunnel to %s (%d); let it allow that host and port, or look whether it reaches them", address, answer.StatusCode), nil)
	case reader.Buffered() > 0: // both TLS and HTTP have the client speak first
		return nil, wrong("opens a tunnel to "+address+" and speaks into it before it was spoken to", nil)
	}
	return conn, nil
}

// unauthorized says what to do about a 407 (RFC 9110 §15.5.8).
func (w *Wire) unauthorized(header http.Header) string {
	if w.authorization != "" {
		return "does not take the credentials of the plan (407); correct proxy_credentials"
	}
	for part := range strings.SplitSeq(strings.Join(header.Values("Proxy-Authenticate"), ","), ",") {
		scheme, _, _ := strings.Cut(strings.TrimSpace(part), " ")
		if strings.EqualFold(scheme, "Basic") {
			return "asks for a user and a password (407); give them by reference as proxy_credentials"
		}
	}
	return "asks for credentials that are not Basic (407), which are not spoken here; let it know this machine without, or name another proxy"
}

// blamed is an error of a line before the host behind the proxy had a word. Whether that host or the proxy ended it
// nobody can tell, so it is no answer of the stack's.
func (l *line) blamed(err error) error {
	if l.proxy == "" || l.heard {
		return err
	}
	var verify *tls.CertificateVerificationError
	what := "or the host behind it ended the connection before that host had shown who it is"
	if errors.As(err, &verify) {
		what = "or the host behind it shows a certificate that is not trusted"
	}
	return &proxyError{l.proxy, what, err}
}
