package plan

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
)

// forms are the forms that text may have to have, by the name in the tag `is`. Each gives what is wrong, to be read
// after the key, and a hint; no message means that all is well.
var forms = map[string]func(string) (message, hint string){
	"name":         nameForm,
	"url":          urlForm,
	"base":         baseForm,
	"own":          baseForm, // an address of the ride's own, which it does not dial
	"issuer":       issuerForm,
	"proxy":        proxyForm,
	"origin":       originForm,
	"address":      addressForm,
	"listen":       listenForm,
	"request":      requestForm,
	"call":         callForm,
	"pointer":      pointerForm,
	"spot":         spotForm,
	"header":       headerForm,
	"pattern":      patternForm,
	"placeholders": placeholderForm,
	"named":        namedForm,
	"targets":      targetForm,
	"digest":       digestForm,
}

var (
	legalName    = regexp.MustCompile(`^[a-z0-9_-]+$`)
	legalHeader  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // a token of RFC 9110 section 5.6.2
	legalRequest = regexp.MustCompile(`^[A-Z]+ /[^\s]*$`)
	legalDigest  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	legalHost    = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	legalCheck   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	placeholder  = regexp.MustCompile(`\{[A-Za-z_]+\}`)
)

func digestForm(text string) (string, string) {
	if legalDigest.MatchString(text) {
		return "", ""
	}
	return "is no SHA-256", "write its 64 hexadecimal digits in small letters, as a ride notes them"
}

func nameForm(text string) (string, string) {
	if legalName.MatchString(text) {
		return "", ""
	}
	return fmt.Sprintf("cannot be %q", text), "use small letters, digits, - and _"
}

func urlForm(text string) (string, string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		return "is not an absolute URL", "write it with scheme and host: https://host.example/path"
	case u.User != nil:
		return "holds a user or password", "take it out of the URL; secrets are given by reference"
	case u.Fragment != "":
		return "has a fragment", "take away the # and what follows"
	case !legalPort(u.Port()):
		return "has a port that cannot be", "write a port from 1 to 65535"
	}
	return "", ""
}

func baseForm(text string) (string, string) {
	message, hint := urlForm(text)
	if message != "" {
		return message, hint
	}
	u, err := url.Parse(text)
	if err == nil && (u.Path != "" && u.Path != "/" || strings.Contains(text, "?")) {
		return "has a path", fmt.Sprintf("take it away and put it into each request: GET %s/...", printable(strings.TrimSuffix(u.Path, "/")))
	}
	return "", ""
}

func issuerForm(text string) (string, string) {
	message, hint := urlForm(text)
	if message == "" && strings.Contains(text, "?") {
		return "has a query; an issuer has none (RFC 8414 section 2)", "write the issuer exactly as in its metadata"
	}
	return message, hint
}

func proxyForm(text string) (string, string) {
	if text == "none" {
		return "", ""
	}
	u, err := url.Parse(text)
	if err == nil && u.User != nil {
		return "holds a user or password", "take it out of the URL, and give it by reference: proxy_credentials: env:NAME"
	}
	message, hint := urlForm(text)
	if message == "" && (strings.Trim(u.Path, "/") != "" || strings.Contains(text, "?")) {
		return "has a path", "write scheme, host and port alone: http://proxy.example:3128"
	}
	return message, hint
}

func originForm(text string) (string, string) {
	if strings.Contains(text, "://") {
		return urlForm(text)
	}
	message, _ := addressForm(text)
	if message == "" {
		return "", ""
	}
	return "is neither a URL nor host:port", "write https://origin.example:8443 or origin.example:8443"
}

func addressForm(text string) (string, string) {
	host, port := text, ""
	if strings.Contains(text, "]") || strings.Count(text, ":") == 1 {
		var err error
		host, port, err = net.SplitHostPort(text)
		if err != nil {
			host, port = strings.Trim(text, "[]"), ""
		}
	}
	legal := net.ParseIP(host) != nil || legalHost.MatchString(host)
	if legal && legalPort(port) {
		return "", ""
	}
	return fmt.Sprintf("cannot be %q", text), "write host:port or host, such as 192.0.2.10:8443 or [2001:db8::1]:8443"
}

// listenForm is an address at which the ride listens; with port 0 the system chooses one.
func listenForm(text string) (string, string) {
	host, port, err := net.SplitHostPort(text)
	if err == nil && (host == "" || net.ParseIP(host) != nil || legalHost.MatchString(host)) && (port == "0" || port != "" && legalPort(port)) {
		return "", ""
	}
	return fmt.Sprintf("cannot be %q", text), "write host:port, such as 0.0.0.0:8443, or 127.0.0.1:0 where the system may choose the port"
}

func legalPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 1 && n <= 65535
}

func requestForm(text string) (string, string) {
	for _, found := range placeholder.FindAllString(text, -1) {
		if found != "{client_id}" {
			return fmt.Sprintf("has the unknown placeholder %s", found), "only {client_id} is replaced here, by the id of the client that calls"
		}
	}
	if legalRequest.MatchString(text) {
		return "", ""
	}
	return fmt.Sprintf("cannot be %q", text), "write a method in capitals, a space and a target: GET /payments"
}

func targetForm(text string) (string, string) {
	if strings.HasPrefix(text, "/") && !strings.ContainsAny(text, " \t\r\n") {
		return "", ""
	}
	return "is not a request target", "write the path of the object: /payments/17"
}

func callForm(text string) (string, string) {
	method, target, found := strings.Cut(text, " ")
	if !found || method == "" || strings.ToUpper(method) != method || strings.ContainsAny(target, " \t\r\n") {
		return "wants METHOD and URL", "write: POST https://admin.example/clients/{client_id}/suspend"
	}
	message, hint := placeholderForm(target)
	if message != "" {
		return message, hint
	}
	_, rest, _ := strings.Cut(target, "://")
	host, _, _ := strings.Cut(rest, "/")
	if placeholder.MatchString(host) {
		return "has a placeholder in its host", "write the host out: only hosts in the plan are called"
	}
	return urlForm(placeholder.ReplaceAllString(target, "x"))
}

func placeholderForm(text string) (string, string) {
	for _, found := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(Placeholders, found) {
			return fmt.Sprintf("has the unknown placeholder %s", found), suggest(found, Placeholders)
		}
	}
	return "", ""
}

func namedForm(text string) (string, string) {
	for _, found := range placeholder.FindAllString(text, -1) {
		if found != "{name}" {
			return fmt.Sprintf("has the unknown placeholder %s", found), "only {name} is replaced here, by the member of the cast"
		}
	}
	return "", ""
}

func pointerForm(text string) (string, string) {
	if strings.HasPrefix(text, "/") {
		return "", ""
	}
	return fmt.Sprintf("is no JSON pointer: %q", text), "begin it with a slash: /items (RFC 6901)"
}

func spotForm(text string) (string, string) {
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case kind == "json" && strings.HasPrefix(rest, "/"):
		return "", ""
	case kind == "header" && legalHeader.MatchString(rest):
		return "", ""
	}
	return fmt.Sprintf("cannot be %q", text), "write json:/seen/client_id or header:x-client-id"
}

func headerForm(text string) (string, string) {
	if legalHeader.MatchString(text) {
		return "", ""
	}
	return fmt.Sprintf("cannot be %q", text), "write the name of a header field: X-API-Key"
}

func patternForm(text string) (string, string) {
	if text == "*" {
		return "", ""
	}
	stage, words, found := strings.Cut(text, ".")
	stages := make([]string, len(logbook.Stages))
	for i, known := range logbook.Stages {
		stages[i] = string(known)
	}
	switch {
	case !slices.Contains(stages, stage):
		return fmt.Sprintf("cannot be %q: there is no stage %q", text, stage), suggest(stage, stages)
	case !found || (words != "*" && !legalCheck.MatchString(words)):
		return fmt.Sprintf("cannot be %q", text), fmt.Sprintf("write a check's id, or %s.*, or \"*\"", stage)
	}
	return "", ""
}
