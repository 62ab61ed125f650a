package plan

// The hooks that an operator can offer, by what the ride asks of them.
const (
	Suspend            = "suspend"              // the client gets no tokens and its tokens are refused
	Resume             = "resume"               // it may again
	ReduceEntitlement  = "reduce_entitlement"   // the scope {scope} is taken away from the client
	RestoreEntitlement = "restore_entitlement"  // it is given back
	OpenWindow         = "open_window"          // just-in-time access begins
	CloseWindow        = "close_window"         // it ends
	RotateSecret       = "rotate_secret"        // the client gets a new secret; the hook's answer is the secret
	RotateSigningKey   = "rotate_signing_key"   // the AS signs with a new key and keeps the old one in its key set
	WithdrawSigningKey = "withdraw_signing_key" // the key {kid} leaves the key set of the AS
	FindClient         = "find_client"          // the answer holds the ids of the clients named {client_name}
	DeleteClient       = "delete_client"        // the client is removed
	Provision          = "provision"            // with registration.mode hook: the client {client_name} is made, and the answer is its metadata as JSON (RFC 7591 §3.2.1); else: the client {client_id} is given what the points want beside tokens, and the answer names it (api_key)
	Deprovision        = "deprovision"          // the client's life is ended in the operator's own way
)

// HookNames holds all names of hooks.
var HookNames = []string{
	Suspend, Resume, ReduceEntitlement, RestoreEntitlement, OpenWindow, CloseWindow, RotateSecret,
	RotateSigningKey, WithdrawSigningKey, FindClient, DeleteClient, Provision, Deprovision,
}

// Placeholders holds all that a hook may have replaced in its URL, header fields, body and arguments.
var Placeholders = []string{"{client_id}", "{client_name}", "{scope}", "{kid}"}
