package logbook

import "time"

// Parked says that a ride waits for people: they onboard its clients by hand, and days may pass. The ride goes on in the
// same book; until then the book has no roll and no verdict. Once it goes on, the entry is written again with Resumed.
type Parked struct {
	Since   time.Time `json:"since"`             // first contact
	Clients []string  `json:"clients"`           // that have no client_id yet
	Plan    string    `json:"plan"`              // whole path of the plan, in which their ids will stand
	Sheet   string    `json:"sheet,omitempty"`   // file beside the book: what is to be registered
	Resumed time.Time `json:"resumed,omitzero"`  // zero: it waits
	Steps   int       `json:"steps,omitempty"`   // what people had to do by hand, as they counted it
	Counted bool      `json:"counted,omitempty"` // Steps were told; else it is one for each client
}

// Attached says that an audit export was added after the ride. What it shows follows as further lines of the roll and
// observations, which replace those that had no log to look at.
type Attached struct {
	Source string    `json:"source"` // its name in reports
	File   string    `json:"file"`   // without its folder
	SHA256 string    `json:"sha256"` // hex, of the file as it was read
	Covers []string  `json:"covers"` // points and authorization servers
	At     time.Time `json:"at"`
	Lines  int       `json:"lines"`
	Marked int       `json:"marked"` // records with the ride's marker
}
