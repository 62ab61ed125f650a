package plan

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Hosts gives every host:port that the plan names: issuers, endpoints, points, replicas, origins and hooks; sorted, in
// small letters. Nothing else may be talked to. A proxy is not among them: the ride goes through it, never to it.
func (p *Plan) Hosts() ([]string, error) {
	hosts := map[string]bool{}
	var firstErr error
	p.walk(func(promise string, f field, v reflect.Value) {
		text, isText := v.Interface().(string)
		if !isText || text == "" {
			return
		}
		switch f.is {
		case "call":
			_, text, _ = strings.Cut(text, " ")
			text = placeholder.ReplaceAllString(text, "x")
		case "url", "base", "issuer", "origin":
		default:
			return
		}
		host, err := hostOf(text)
		if err != nil && firstErr == nil {
			firstErr = fmt.Errorf("%s: %w", promise, err)
		}
		hosts[host] = true
	})
	if firstErr != nil {
		return nil, firstErr
	}
	for _, point := range p.Points {
		u, err := url.Parse(point.URL)
		if err != nil {
			return nil, fmt.Errorf("points.%s.url: %w", point.Name, err)
		}
		for _, address := range point.Addresses {
			hosts[strings.ToLower(withPort(address, portOf(u)))] = true
		}
	}
	return slices.Sorted(maps.Keys(hosts)), nil
}

// Dials gives every host:port that connections are opened to: the hosts, and the proxy before them.
func (p *Plan) Dials() ([]string, error) {
	hosts, err := p.Hosts()
	if proxy := p.ProxyHost(); proxy != "" {
		hosts = append(hosts, proxy)
	}
	return hosts, err
}

// ProxyHost is the host:port of the proxy, or empty where hosts are dialled directly.
func (p *Plan) ProxyHost() string {
	if p.Proxy == "" || p.Proxy == "none" {
		return ""
	}
	host, err := hostOf(p.Proxy)
	if err != nil { // its form was checked when the plan was read
		return ""
	}
	return host
}

func hostOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("%q is not an absolute URL: write it with scheme and host", text)
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), portOf(u)), nil
}

// UsesExec gives the places that run a command, in the plan's order: points.edge.exec, clients.partner.secret.
func (p *Plan) UsesExec() []string {
	var places []string
	p.walk(func(promise string, f field, v reflect.Value) {
		switch value := v.Interface().(type) {
		case []string:
			if f.key == "exec" && len(value) > 0 {
				places = append(places, promise)
			}
		case Reference:
			if value.Scheme() == "exec" {
				places = append(places, promise)
			}
		}
	})
	return places
}

// References gives the places of all references by their promise, for a command that looks whether they can be read.
func (p *Plan) References() map[string]Reference {
	found := map[string]Reference{}
	p.walk(func(promise string, _ field, v reflect.Value) {
		ref, isReference := v.Interface().(Reference)
		if isReference && ref.Scheme() != "" {
			found[promise] = ref
		}
	})
	return found
}

// walk calls visit for every member of the plan.
func (p *Plan) walk(visit func(promise string, f field, v reflect.Value)) {
	walkValue(reflect.ValueOf(*p), "", visit)
}

func walkValue(v reflect.Value, promise string, visit func(string, field, reflect.Value)) {
	for _, f := range fieldsOf(v.Type()) {
		walkMember(v.Field(f.index), join(promise, f.key), f, visit)
	}
}

func walkMember(v reflect.Value, promise string, f field, visit func(string, field, reflect.Value)) {
	visit(promise, f, v)
	switch {
	case v.Type() == auditType:
		walkMember(reflect.ValueOf(v.Interface().(Audit).Sources), promise, f, visit)
	case v.Type() == dateType || v.Type() == referenceType:
	case v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct:
		walkValue(v.Elem(), promise, visit)
	case v.Kind() == reflect.Struct:
		walkValue(v, promise, visit)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			item := v.Index(i)
			if item.Kind() == reflect.Struct {
				walkValue(item, join(promise, itemName(item, i)), visit)
			}
		}
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() != reflect.Interface:
		for _, key := range mapKeys(v) {
			member := v.MapIndex(reflect.ValueOf(key))
			walkMember(member, join(promise, key), field{key: key}, visit)
		}
	}
}

func mapKeys(v reflect.Value) []string {
	keys := make([]string, 0, v.Len())
	for _, key := range v.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	return keys
}

func itemName(item reflect.Value, i int) string {
	name := item.FieldByName("Name")
	if name.IsValid() && name.String() != "" {
		return name.String()
	}
	return strconv.Itoa(i)
}
