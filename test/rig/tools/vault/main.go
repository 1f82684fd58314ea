// A Vault server for the test world: HashiCorp's own core and HTTP handler, storage in memory, and of its plugins only
// those that the tests use. It starts uninitialized and sealed; the rig initializes and unseals it over its API.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/credential/cert"
	"github.com/hashicorp/vault/builtin/logical/pki"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

type plugins map[consts.PluginType]map[string]logical.Factory

var builtin = plugins{
	consts.PluginTypeSecrets:    {"pki": pki.Factory},
	consts.PluginTypeCredential: {"approle": approle.Factory, "cert": cert.Factory, "kubernetes": kubernetes.Factory},
}

func (p plugins) Contains(name string, of consts.PluginType) bool {
	_, found := p[of][name]
	return found
}

func (p plugins) Get(name string, of consts.PluginType) (func() (any, error), bool) {
	factory, found := p[of][name]
	return func() (any, error) { return factory, nil }, found
}

func (p plugins) Keys(of consts.PluginType) []string {
	var names []string
	for name := range p[of] {
		names = append(names, name)
	}
	return names
}

func (p plugins) DeprecationStatus(name string, of consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, p.Contains(name, of)
}

func (p plugins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func main() {
	listen := flag.String("listen", "127.0.0.1:8200", "host:port of the API")
	certificate := flag.String("cert", "", "PEM file of the server's certificate")
	key := flag.String("key", "", "PEM file of its key")
	clients := flag.String("client-ca", "", "PEM file: refuse clients without a certificate of these CAs")
	flag.Parse()
	if err := serve(*listen, *certificate, *key, *clients); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
}

func serve(listen, certificate, key, clients string) error {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: os.Stderr})
	storage, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		StorageType:        "inmem",
		Logger:             logger,
		DisableMlock:       true,
		BuiltinRegistry:    builtin,
		LogicalBackends:    builtin[consts.PluginTypeSecrets],
		CredentialBackends: builtin[consts.PluginTypeCredential],
		RedirectAddr:       "https://" + listen,
	})
	if err != nil {
		return err
	}
	security, err := clientRule(clients)
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: listen,
		Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{
			Core:           core,
			ListenerConfig: &configutil.Listener{MaxRequestDuration: time.Minute},
		}),
		TLSConfig:         security,
		ReadHeaderTimeout: 10 * time.Second,
	}
	return server.ListenAndServeTLS(certificate, key)
}

// As Vault's own listener: a client certificate is asked for, and demanded only where a CA for clients is named.
func clientRule(file string) (*tls.Config, error) {
	if file == "" {
		return &tls.Config{ClientAuth: tls.RequestClientCert}, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New(file + " holds no certificate")
	}
	return &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}, nil
}
