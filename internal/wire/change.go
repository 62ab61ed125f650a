package wire

import (
	"bytes"
	"slices"
)

// Clone gives a deep copy. Certificates, keys and pools are shared: they do not change.
func (r Request) Clone() Request {
	r.Header = slices.Clone(r.Header)
	r.Form = slices.Clone(r.Form)
	r.Body = bytes.Clone(r.Body)
	r.Credentials = slices.Clone(r.Credentials)
	for i := range r.Credentials {
		if j := r.Credentials[i].JWT; j != nil {
			r.Credentials[i].JWT = j.Clone()
		}
	}
	return r
}

// Clone gives a deep copy; key and signer are shared.
func (j *JWT) Clone() *JWT {
	copied := *j
	copied.Header = cloneMembers(j.Header)
	copied.Claims = cloneMembers(j.Claims)
	copied.Omit = slices.Clone(j.Omit)
	return &copied
}

func cloneMembers(members map[string]any) map[string]any {
	if members == nil {
		return nil
	}
	copied := make(map[string]any, len(members))
	for name, value := range members {
		copied[name] = cloneValue(value)
	}
	return copied
}

func cloneValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return cloneMembers(value)
	case []any:
		copied := make([]any, len(value))
		for i := range value {
			copied[i] = cloneValue(value[i])
		}
		return copied
	case []string:
		return slices.Clone(value)
	}
	return value
}

// SetHeader gives a copy with one header field of this name: the first of the name is replaced where it stands, others
// of the name are dropped; without one it is added at the end.
func (r Request) SetHeader(name, value string) Request {
	r = r.Clone()
	r.Header = set(r.Header, name, value, is)
	return r
}

// AddHeader gives a copy with one more header field at the end, also when there is one of this name.
func (r Request) AddHeader(name, value string) Request {
	r = r.Clone()
	r.Header = append(r.Header, Field{name, value})
	return r
}

// WithoutHeader gives a copy without the header fields of this name.
func (r Request) WithoutHeader(name string) Request {
	r = r.Clone()
	r.Header = slices.DeleteFunc(r.Header, func(f Field) bool { return is(f.Name, name) })
	return r
}

// SetForm gives a copy with one form field of this name, as [Request.SetHeader] does for the header. Names are case
// sensitive.
func (r Request) SetForm(name, value string) Request {
	r = r.Clone()
	r.Form = set(r.Form, name, value, func(a, b string) bool { return a == b })
	return r
}

// AddForm gives a copy with one more form field at the end.
func (r Request) AddForm(name, value string) Request {
	r = r.Clone()
	r.Form = append(r.Form, Field{name, value})
	return r
}

// WithoutForm gives a copy without the form fields of this name.
func (r Request) WithoutForm(name string) Request {
	r = r.Clone()
	r.Form = slices.DeleteFunc(r.Form, func(f Field) bool { return f.Name == name })
	return r
}

func set(fields []Field, name, value string, same func(a, b string) bool) []Field {
	out, found := []Field{}, false
	for _, f := range fields {
		switch {
		case !same(f.Name, name):
			out = append(out, f)
		case !found:
			out, found = append(out, Field{name, value}), true
		}
	}
	if !found {
		out = append(out, Field{name, value})
	}
	return out
}

// WithCredential gives a copy with one more credential.
func (r Request) WithCredential(c Credential) Request {
	r = r.Clone()
	r.Credentials = append(r.Credentials, c)
	return r
}

// AuthenticatedBy gives a copy with these credentials in the place of all others. DPoP proofs stay: they show a key and not
// who the client is, and a request that loses its proof as well differs in two things.
func (r Request) AuthenticatedBy(credentials ...Credential) Request {
	r = r.Clone()
	proofs := slices.DeleteFunc(r.Credentials, func(c Credential) bool { return c.JWT == nil || !c.JWT.Proof })
	r.Credentials = append(slices.Clone(credentials), proofs...)
	return r
}

// WithoutCredential gives a copy without the credentials of this name.
func (r Request) WithoutCredential(name string) Request {
	r = r.Clone()
	r.Credentials = slices.DeleteFunc(r.Credentials, func(c Credential) bool { return is(c.Name, name) })
	return r
}

// ReplaceCredential gives a copy in which c stands in the place of the first credential of this name. It says false,
// and gives an equal copy, when there is none.
func (r Request) ReplaceCredential(name string, c Credential) (Request, bool) {
	r = r.Clone()
	for i := range r.Credentials {
		if is(r.Credentials[i].Name, name) {
			r.Credentials[i] = c
			return r, true
		}
	}
	return r, false
}

// Credential gives a pointer to the first credential of this name, to be altered in a copy, or nil.
func (r *Request) Credential(name string) *Credential {
	for i := range r.Credentials {
		if is(r.Credentials[i].Name, name) {
			return &r.Credentials[i]
		}
	}
	return nil
}
