package plan

import (
	"fmt"
	"strings"
)

// otherEnvironment judges what is known of the partner in its other environment.
func (r *rules) otherEnvironment() {
	other := r.plan.OtherEnvironment
	if other == nil {
		return
	}
	const path = "other_environment"
	if other.Secret.Empty() && other.Key.Empty() && other.Certificate == nil && other.Token.Empty() {
		r.wrong(path, "`other_environment` names no credential that could be tried here", "add `secret`, `key`, `certificate` or `token`")
	}
	if other.Issuer != "" && other.ID.Empty() {
		r.wrong(path+".issuer", "`issuer` says where the credentials are good, but there is no `id` to try them with", "add `id: env:NAME` or the client_id itself")
	}
	home := r.plan.Registration.Server
	if server, named := r.plan.AuthorizationServers[home]; named && other.Issuer != "" && sameIssuer(other.Issuer, server.Issuer) {
		r.wrong(path+".issuer", fmt.Sprintf("this is the issuer of %s, where the partner is registered: what is good there is no other environment's", printable(home)), "name the authorization server of the other environment")
	}
	if other.Certificate != nil {
		r.certificate(path+".certificate", "the partner in the other environment", *other.Certificate)
		if other.Certificate.Issue != nil {
			r.wrong(path+".certificate.issue", "a certificate of another environment cannot be issued for the ride: it would be nobody's", "give the one that the partner has there: `cert` and `key`")
		}
	}
	if other.ID.Empty() {
		return
	}
	for _, lack := range []struct {
		method, key string
		missing     bool
	}{
		{"client_secret", "secret", other.Secret.Empty()},
		{"private_key_jwt", "key", other.Key.Empty()},
		{"tls_client_auth", "certificate", other.Certificate == nil},
		{"self_signed", "certificate", other.Certificate == nil},
	} {
		if strings.HasPrefix(other.Auth, lack.method) && lack.missing {
			r.wrong(path+".auth", fmt.Sprintf("the partner authenticates there by %s, but has no `%s`", other.Auth, lack.key), "add `"+lack.key+"`, or say another `auth`")
		}
	}
}

// sameIssuer says whether two issuers are one: a slash at the end makes no other server.
func sameIssuer(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }
