package tasks

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/automatond/automatond/internal/secret"
)

// certificateRoute is where the project's certificates are.
const certificateRoute = projectRoute + "/certificates"

// existingCertificate is a certificate that the platform has.
type existingCertificate struct {
	ID          string `json:"id"`
	PEM         string `json:"certificate"`
	Provisioned bool   `json:"is_provisioned"` // the platform's own, which it renews itself
}

// is reports whether it is the certificate with this DER encoding.
func (e existingCertificate) is(der []byte) bool {
	block, _ := pem.Decode([]byte(e.PEM))
	return block != nil && slices.Equal(block.Bytes, der)
}

func listCertificates(look Lookup) ([]existingCertificate, error) {
	return list[existingCertificate](look, certificateRoute)
}

// keyPair is a certificate with what proves it, as the API takes it.
type keyPair struct {
	Certificate string   `json:"certificate"` // PEM
	Key         string   `json:"key"`         // PEM
	Chain       []string `json:"chain"`       // PEM each, the nearest issuer first

	leaf []byte // the certificate's DER encoding
}

// readKeyPair reads a certificate, behind which its chain may stand, its key, and more of its chain. What
// does not belong together is an error, which has nothing of the files in it.
func readKeyPair(certificateFile, keyFile string, chainFiles []string) (keyPair, error) {
	certificate, err := readFile(certificateFile)
	if err != nil {
		return keyPair{}, err
	}
	key, err := readFile(keyFile)
	if err != nil {
		return keyPair{}, err
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		return keyPair{}, fmt.Errorf("certificate %s with key %s: %w", certificateFile, keyFile, err)
	}
	chain := pair.Certificate[1:]
	for _, file := range chainFiles {
		more, err := readChain(file)
		if err != nil {
			return keyPair{}, err
		}
		chain = append(chain, more...)
	}
	read := keyPair{Certificate: encodePEM(pair.Certificate[0]), Key: key, Chain: []string{}, leaf: pair.Certificate[0]}
	for _, der := range chain {
		read.Chain = append(read.Chain, encodePEM(der))
	}
	return read, nil
}

// readChain returns the DER encodings of a file's certificates.
func readChain(file string) ([][]byte, error) {
	text, err := readFile(file)
	if err != nil {
		return nil, err
	}
	var chain [][]byte
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); block.Type != "CERTIFICATE" || err != nil {
			return nil, fmt.Errorf("chain %s: its block %d is no certificate", file, len(chain)+1)
		}
		chain = append(chain, block.Bytes)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("chain %s has no certificate", file)
	}
	return chain, nil
}

// readFile reads any of the files as a secret, since one of them is.
func readFile(path string) (string, error) {
	value, err := secret.FromFile(path).Read()
	return value.Reveal(), err
}

func encodePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
