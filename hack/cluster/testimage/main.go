// The program of the test images: the pause process when called as /pause, otherwise a web server on $PORT that says
// which pod it is. Static, so that its image needs nothing else.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	stop := make(chan os.Signal, 1)
	// As process 1 of its namespace it gets only the signals that it asked for.
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	if filepath.Base(os.Args[0]) != "pause" {
		go serve()
	}
	<-stop
}

func serve() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "80"
	}
	server := &http.Server{Addr: ":" + port, Handler: http.HandlerFunc(answer), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

// answer says the pod's name, its addresses, and from where the request came.
func answer(writer http.ResponseWriter, request *http.Request) {
	name, _ := os.Hostname()
	writer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(writer).Encode(map[string]any{
		"pod": name, "addresses": addresses(), "remote": request.RemoteAddr,
	})
}

func addresses() []string {
	found := []string{}
	all, _ := net.InterfaceAddrs()
	for _, address := range all {
		if network, ok := address.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			found = append(found, network.IP.String())
		}
	}
	return found
}
