package oauth

// What stands in authorization server metadata (RFC 8414 §2), in that of OpenID providers, and in protected resource
// metadata (RFC 9728).

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/wire"
)

// Kind is what a member of the metadata must be.
type Kind string

const (
	WebAddress Kind = "an absolute URL"
	Words      Kind = "a list of texts"
	Flag       Kind = "true or false"
	Text       Kind = "a text"
	Object     Kind = "an object"
	Anything   Kind = "anything"
)

// members are those that are registered for authorization server metadata, and some that are common.
var members = map[Kind][]string{
	WebAddress: {
		"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "service_documentation",
		"op_policy_uri", "op_tos_uri", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint", "end_session_endpoint",
		"check_session_iframe", "device_authorization_endpoint", "pushed_authorization_request_endpoint",
		"backchannel_authentication_endpoint", "credential_issuer", "global_token_revocation_endpoint", "challenge_endpoint",
	},
	Words: {
		"scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported",
		"token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported", "ui_locales_supported",
		"revocation_endpoint_auth_methods_supported", "revocation_endpoint_auth_signing_alg_values_supported",
		"introspection_endpoint_auth_methods_supported", "introspection_endpoint_auth_signing_alg_values_supported",
		"code_challenge_methods_supported", "acr_values_supported", "amr_values_supported", "subject_types_supported", "display_values_supported",
		"claim_types_supported", "claims_supported", "claims_locales_supported", "prompt_values_supported",
		"id_token_signing_alg_values_supported", "id_token_encryption_alg_values_supported", "id_token_encryption_enc_values_supported",
		"userinfo_signing_alg_values_supported", "userinfo_encryption_alg_values_supported", "userinfo_encryption_enc_values_supported",
		"request_object_signing_alg_values_supported", "request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported",
		"introspection_signing_alg_values_supported", "introspection_encryption_alg_values_supported", "introspection_encryption_enc_values_supported",
		"authorization_signing_alg_values_supported", "authorization_encryption_alg_values_supported", "authorization_encryption_enc_values_supported",
		"dpop_signing_alg_values_supported", "authorization_details_types_supported", "backchannel_token_delivery_modes_supported",
		"backchannel_authentication_request_signing_alg_values_supported", "protected_resources", "client_attestation_signing_alg_values_supported",
		"client_attestation_pop_signing_alg_values_supported",
	},
	Flag: {
		"tls_client_certificate_bound_access_tokens", "claims_parameter_supported", "request_parameter_supported",
		"request_uri_parameter_supported", "require_request_uri_registration", "require_signed_request_object",
		"require_pushed_authorization_requests", "authorization_response_iss_parameter_supported", "frontchannel_logout_supported",
		"frontchannel_logout_session_supported", "backchannel_logout_supported", "backchannel_logout_session_supported",
		"backchannel_user_code_parameter_supported",
	},
	Text:     {"signed_metadata"},
	Object:   {"mtls_endpoint_aliases", "verified_claims_supported"},
	Anything: {"federation_types_supported", "client_registration_types_supported", "request_authentication_methods_supported"},
}

// KindOf gives what a member of the metadata must be, and whether it is one that we know.
func KindOf(member string) (Kind, bool) {
	for kind, names := range members {
		if slices.Contains(names, member) {
			return kind, true
		}
	}
	return "", false
}

// Is says whether a value is of a kind. A list is one of texts, and not empty (RFC 8414 §3.2: claims with zero elements
// are left out).
func (k Kind) Is(value any) bool {
	switch k {
	case WebAddress:
		address, _ := value.(string)
		parsed, err := url.Parse(address)
		return err == nil && parsed.Scheme != "" && parsed.Host != ""
	case Words:
		list, isList := value.([]any)
		return isList && len(list) > 0 && len(Strings(value)) == len(list)
	case Flag:
		_, is := value.(bool)
		return is
	case Text:
		_, is := value.(string)
		return is
	case Object:
		_, is := value.(map[string]any)
		return is
	}
	return true
}

// MeantMember gives the known member that an unknown one was probably meant to be: it differs in one letter, or in
// nothing but case, - and _.
func MeantMember(unknown string) (string, bool) {
	if _, known := KindOf(unknown); known || len(unknown) > 100 {
		return "", false
	}
	for _, names := range members {
		for _, name := range names {
			if oneApart(plain(unknown), plain(name)) {
				return name, true
			}
		}
	}
	return "", false
}

func plain(name string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
}

// oneApart says that two words are equal but for one letter that is missing, added or another, or two that are swapped.
func oneApart(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return len(a) <= 1 && len(b) <= 1 || swapped
}

// MetadataRequests ask for a server's metadata at each place where it may be ([Discover] takes the first that answers).
func MetadataRequests(name, issuer, byHand string) []wire.Request {
	var all []wire.Request
	for _, address := range metadataURLs(issuer, byHand) {
		all = append(all, to(name, http.MethodGet, address))
	}
	return all
}

// ReadDocument reads a JSON object that was answered with 200, strictly: duplicate names are an error. What is too deep or
// too long to be read, or encoded though it was asked for as it is, gives [ErrUnread].
func ReadDocument(x wire.Exchange) (map[string]any, error) {
	if coding := x.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, fmt.Errorf("the document comes with Content-Encoding %.40q: %w", coding, ErrUnread)
	}
	return read(x, http.StatusOK)
}

// MetadataDigest is the SHA-256 of a metadata document, in hex: of its JSON with the members sorted by name and lists of
// texts sorted, since their order means nothing. Signed_metadata, which is made anew each time, is left out.
func MetadataDigest(document map[string]any) (string, error) {
	canonical := map[string]any{}
	for name, value := range document {
		if words := Strings(value); len(words) > 0 {
			if _, isText := value.(string); !isText {
				value = slices.Sorted(slices.Values(words))
			}
		}
		canonical[name] = value
	}
	delete(canonical, "signed_metadata")
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(canonical) // which sorts by name
	if err != nil {
		return "", fmt.Errorf("digest of the metadata: %w", err)
	}
	sum := sha256.Sum256(bytes.TrimSuffix(out.Bytes(), []byte("\n")))
	return hex.EncodeToString(sum[:]), nil
}

// ResourceMetadataRequest asks for the metadata of a protected resource: the well-known string stands between the host
// and the path of its identifier (RFC 9728 §3.1).
func ResourceMetadataRequest(point, resource string) wire.Request {
	origin, path := split(strings.TrimRight(resource, "/"))
	return to(point, http.MethodGet, origin+"/.well-known/oauth-protected-resource"+strings.TrimRight(path, "/"))
}

// Get asks for a whole URL, without any credential.
func Get(point, address string) wire.Request { return to(point, http.MethodGet, address) }

// Knock is an empty form for an endpoint that takes forms: whoever listens there refuses it.
func Knock(point, address string) wire.Request { return form(point, address) }
