package main

import "github.com/spf13/cobra"

func newCleanup() *cobra.Command { return &cobra.Command{Use: "cleanup LEDGER"} }
