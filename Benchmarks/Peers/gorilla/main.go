// gorilla/securecookie with a hash key and a block key: AES-256-CTR, then HMAC-SHA-256, with its JSON serializer and
// with its default, gob. Usage: gorilla CORPUS SECONDS; the seconds are for each file and direction. Prints one JSON
// line per serializer and file.
package main

import (
	"encoding/gob"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
)

const (
	batches = 7
	name    = "session"
)

type session = map[string]interface{}

// measure returns the median of nanoseconds per call, and half the distance between the quartiles as a percentage of
// it.
func measure(seconds float64, work func() error) (median, spread float64) {
	batch := func(count int) float64 {
		start := time.Now()
		for i := 0; i < count; i++ {
			if err := work(); err != nil {
				log.Fatal(err)
			}
		}
		return float64(time.Since(start).Nanoseconds()) / float64(count)
	}
	batch(50)
	count := int(seconds * 1e9 / batches / batch(50))
	if count < 1 {
		count = 1
	}
	samples := make([]float64, batches)
	for i := range samples {
		samples[i] = batch(count)
	}
	sort.Float64s(samples)
	median = samples[batches/2]
	return median, (samples[batches*3/4] - samples[batches/4]) / 2 / median * 100
}

func main() {
	gob.Register(session{})
	gob.Register([]interface{}{})
	corpus := os.Args[1]
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		log.Fatal(err)
	}
	version, err := exec.Command(
		"dpkg-query", "-W", "-f", "${Version}", "golang-github-gorilla-securecookie-dev").Output()
	if err != nil {
		log.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(corpus, "*.json"))
	if err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	for _, serializer := range []struct {
		name  string
		codec securecookie.Serializer
	}{{"JSON", securecookie.JSONEncoder{}}, {"gob", securecookie.GobEncoder{}}} {
		// No limit on the length, so that cookies that a browser would not store are measured too.
		cookies := securecookie.New(securecookie.GenerateRandomKey(64), securecookie.GenerateRandomKey(32)).
			SetSerializer(serializer.codec).MaxAge(14 * 86400).MaxLength(0)
		for _, path := range files {
			file := strings.TrimSuffix(filepath.Base(path), ".json")
			text, err := os.ReadFile(path)
			if err != nil {
				log.Fatal(err)
			}
			var value session
			if err := json.Unmarshal(text, &value); err != nil {
				log.Fatal(err)
			}
			cookie, err := cookies.Encode(name, value)
			if err != nil {
				log.Fatal(err)
			}
			var back session
			if err := cookies.Decode(name, cookie, &back); err != nil || !reflect.DeepEqual(back, value) {
				log.Fatalf("%s: another session came back: %v", file, err)
			}
			changed := []byte(cookie)
			if changed[len(changed)/2] == 'A' {
				changed[len(changed)/2] = 'B'
			} else {
				changed[len(changed)/2] = 'A'
			}
			if err := cookies.Decode(name, string(changed), &session{}); err == nil {
				log.Fatalf("%s: a changed cookie was opened", file)
			}
			sealNS, sealSpread := measure(seconds, func() error {
				_, err := cookies.Encode(name, value)
				return err
			})
			openNS, openSpread := measure(seconds, func() error {
				var back session
				return cookies.Decode(name, cookie, &back)
			})
			err = out.Encode(map[string]interface{}{
				"peer": "gorilla/securecookie, " + serializer.name, "version": string(version), "file": file,
				"size": len(cookie), "seal_ns": sealNS, "open_ns": openNS,
				"seal_spread": sealSpread, "open_spread": openSpread,
				"protects": map[string]bool{"encrypted": true, "signed": true, "compressed": false, "expires": true},
			})
			if err != nil {
				log.Fatal(err)
			}
		}
	}
}
