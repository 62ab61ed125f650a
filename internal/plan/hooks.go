package plan

// The hooks that an operator can offer, by what the ride asks of them.
const (
	Suspend            = "suspend"              // the client gets no tokens and its tokens are refused
	Resume             = "resume"               // it may again
	ReduceEntitlement  = "reduce_entitlement"   // the scope {scope} is taken away from the client
	RestoreEntitlement = "restore_entitlement"  // it is given back
	TakeRole           = "take_role"            // the role {role} is taken away from the client
	GiveRole           = "give_role"            // it is given back
	OpenWindow         = "open_window"          // just-in-time access begins
	CloseWindow        = "close_window"         // it ends
	ScheduleWindow     = "schedule_window"      // just-in-time access begins at {from} and ends by itself at {until}
	RotateSecret       = "rotate_secret"        // the client gets a new secret; the answer names it (client_secret)
	RotateKey          = "rotate_key"           // the client's key set is {jwks} from now on, and nothing else
	RotateCertificate  = "rotate_certificate"   // as rotate_key, for a client with self-signed certificates: its set holds them as x5c
	IssueCertificate   = "issue_certificate"    // a certificate is issued for the request {csr}; the answer is PEM, or names it (certificate)
	WithdrawCert       = "withdraw_certificate" // the certificate {thumbprint}, {serial} or {certificate} is trusted no more
	PublishKeys        = "publish_keys"         // the keys {jwks} are published where {client_name} publishes its own; the answer names the place (jwks_uri)
	RotateSigningKey   = "rotate_signing_key"   // the AS signs with a new key and keeps the old one in its key set
	WithdrawSigningKey = "withdraw_signing_key" // the key {kid} leaves the key set of the AS
	MintToken          = "mint_token"           // a token for the client with {scope} for {resource}; the answer is that of RFC 6749 §5.1
	Facts              = "facts"                // the answer is a JSON object: the claims that the client's tokens must carry, by the source of truth
	FindClient         = "find_client"          // the answer holds the ids of the clients named {client_name}
	DeleteClient       = "delete_client"        // the client is removed
	Provision          = "provision"            // with registration.mode hook: the client {client_name} is made, and the answer is its metadata as JSON (RFC 7591 §3.2.1)
	ProvisionAPIKey    = "provision_api_key"    // the client {client_id} is given what points want beside tokens, and the answer names it (api_key)
	Deprovision        = "deprovision"          // the client's life is ended in the operator's own way

	// Identity proofing.
	MakeStatement          = "software_statement"        // the directory vouches for the client {client_name}; the answer names the software statement (software_statement)
	MintInitialAccessToken = "mint_initial_access_token" // an initial access token for {organization} is minted; the answer names it (initial_access_token)

	// What points do when they cannot learn whether a token is good.
	BreakIntrospection   = "break_introspection"   // until it is restored, introspection answers points an error (fault down), or without aud (fault no_audience); without {fault} it is down
	RestoreIntrospection = "restore_introspection" // introspection answers again as it did
)

// HookNames holds all names of hooks.
var HookNames = []string{
	Suspend, Resume, ReduceEntitlement, RestoreEntitlement, TakeRole, GiveRole, OpenWindow, CloseWindow, ScheduleWindow, RotateSecret,
	RotateKey, RotateCertificate, IssueCertificate, WithdrawCert, PublishKeys, RotateSigningKey, WithdrawSigningKey, MintToken, Facts, FindClient, DeleteClient,
	Provision, ProvisionAPIKey, Deprovision,
	MakeStatement, MintInitialAccessToken,
	BreakIntrospection, RestoreIntrospection,
}

// AnswersSecret says whether the answer of a hook holds a secret: what a command prints is then kept as evidence only
// where it is JSON, in which secrets are found and masked.
func AnswersSecret(hook string) bool {
	switch hook {
	case RotateSecret, MintToken, Provision, ProvisionAPIKey, MakeStatement, MintInitialAccessToken:
		return true
	}
	return false
}

// HookMints says whether the tokens of an authorization server come from the hook mint_token: the plan has it, and names
// no other way to get them.
func (p *Plan) HookMints(server string) bool {
	_, hook := p.Hooks[MintToken]
	described, known := p.AuthorizationServers[server]
	return hook && known && described.Issuer == "" && described.Endpoints.Token == "" && described.Endpoints.Metadata == "" && len(described.Token.Exec) == 0
}

// Placeholders holds all that a hook may have replaced in its URL, header fields, body and arguments.
var Placeholders = []string{
	"{client_id}", "{client_name}", "{scope}", "{role}", "{resource}", "{kid}", "{auth}", "{subject_dn}", "{jwks}",
	"{csr}", "{certificate}", "{thumbprint}", "{serial}", "{from}", "{until}", "{organization}", "{fault}",
}
