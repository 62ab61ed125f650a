package main

import (
	"os"

	"github.com/checkride/checkride/internal/folder"
)

// bookAt gives the logbook that a path names: itself, or the one in the folder of a ride.
func bookAt(path string) string {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return folder.Folder{Dir: path}.Logbook()
	}
	return path
}
