// Echo copies standard input to standard output as it arrives, until end of file.
//
// Arguments: none. Exit code: 0, or 1 when a stream fails.
package main

import (
	"io"
	"os"
)

func main() {
	buffer := make([]byte, 16*1024)
	for {
		// Not io.Copy, whose choice of buffer depends on what the streams are.
		count, err := os.Stdin.Read(buffer)
		if count > 0 {
			if _, err := os.Stdout.Write(buffer[:count]); err != nil {
				os.Exit(1)
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			os.Exit(1)
		}
	}
}
