// Loads compose files as `docker compose` does (schema, merge, interpolation, consistency) and prints what
// came of them as JSON. Variables come from the environment alone.
//
//	compose-check FILE...
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if err := check(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(files []string) error {
	options, err := cli.NewProjectOptions(files,
		cli.WithOsEnv, cli.WithProfiles([]string{"*"}), cli.WithInterpolation(true), cli.WithConsistency(true))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	document, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(document)
	return err
}
