// Command cert-manager is the real cert-manager controller, for the suites that move a cluster from it and back. Its own main is a Go
// module of its own that the module proxy does not serve, so this one starts the same controllers, with the flags and defaults that the
// suites need, from the module that is served: same registry, same informers, same lease.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/listenerset"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	"github.com/cert-manager/cert-manager/pkg/util"
	"github.com/cert-manager/cert-manager/pkg/util/feature"
)

const version = "v1.21.1"

// The default of the flag of that name, for whoever makes solver Pods; nothing runs them here.
const solverImage = "quay.io/jetstack/cert-manager-acmesolver:" + version

// As the flag --concurrent-workers has it.
const workers = 5

type settings struct {
	kubeconfig, clusterResources, leaseNamespace, gates string
	lease, renew, retry                                 time.Duration
	gateway, listenerSets                               bool
	nameservers                                         string
}

func main() {
	var with settings
	flag.StringVar(&with.kubeconfig, "kubeconfig", "", "kubeconfig file")
	flag.StringVar(&with.clusterResources, "cluster-resource-namespace", "kube-system", "where Secrets of ClusterIssuers stand")
	flag.StringVar(&with.leaseNamespace, "leader-election-namespace", "kube-system", "where the Lease stands")
	flag.DurationVar(&with.lease, "leader-election-lease-duration", 60*time.Second, "as client-go's LeaseDuration")
	flag.DurationVar(&with.renew, "leader-election-renew-deadline", 40*time.Second, "as client-go's RenewDeadline")
	flag.DurationVar(&with.retry, "leader-election-retry-period", 15*time.Second, "as client-go's RetryPeriod")
	flag.BoolVar(&with.gateway, "enable-gateway-api", false, "run the Gateway shim")
	flag.BoolVar(&with.listenerSets, "enable-gateway-api-listenerset", false, "run the ListenerSet shim; needs the gate ListenerSets")
	flag.StringVar(&with.gates, "feature-gates", "", "cert-manager's own, Name=true,Name=false")
	flag.StringVar(&with.nameservers, "acme-http01-solver-nameservers", "", "host:port, comma-separated")
	flag.Parse()
	util.AppVersion = version
	if err := run(with); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(with settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := feature.DefaultMutableFeatureGate.Set(with.gates); err != nil {
		return err
	}
	factory, err := controller.NewContextFactory(ctx, options(with))
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	elected := make(chan struct{})
	group.Go(func() error { return lead(ctx, factory, with, func() { close(elected) }) })
	select {
	case <-ctx.Done():
		return group.Wait()
	case <-elected:
	}
	log.Print("leading")
	for name, build := range controller.Known() {
		if !wanted(name, with) {
			continue
		}
		loop, err := build(factory)
		if err != nil {
			return err
		}
		group.Go(func() error { return loop.Run(workers, ctx) })
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if with.gateway {
		shared.GWShared.Start(ctx.Done())
	}
	log.Print("the loops run")
	return group.Wait()
}

// Those that answer for a Gateway run where it is asked for, as in cert-manager's own main.
func wanted(name string, with settings) bool {
	switch name {
	case "gateway-shim":
		return with.gateway
	case "listenerset":
		return with.gateway && with.listenerSets
	}
	return !strings.HasPrefix(name, "certificatesigningrequests-")
}

func lead(ctx context.Context, factory *controller.ContextFactory, with settings, onLead func()) error {
	own, err := factory.Build("leader-election")
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	lock, err := resourcelock.NewWithLabels(
		resourcelock.LeasesResourceLock, with.leaseNamespace, "cert-manager-controller", own.Client.CoreV1(), own.Client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "-external-cert-manager-controller", EventRecorder: own.Recorder},
		map[string]string{"app.kubernetes.io/managed-by": "cert-manager"},
	)
	if err != nil {
		return err
	}
	lost := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: with.lease, RenewDeadline: with.renew, RetryPeriod: with.retry, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { onLead() },
			OnStoppedLeading: func() { lost <- errors.New("leader election lost") },
		},
	})
	if err != nil {
		return err
	}
	elector.Run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return <-lost
}

func options(with settings) controller.ContextOptions {
	return controller.ContextOptions{
		Kubeconfig:         with.kubeconfig,
		KubernetesAPIQPS:   20,
		KubernetesAPIBurst: 50,
		IssuerOptions: controller.IssuerOptions{
			ClusterResourceNamespace:        with.clusterResources,
			ClusterIssuerAmbientCredentials: true,
		},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 solverImage,
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
			ACMEHTTP01SolverRunAsNonRoot:      true,
			HTTP01SolverNameservers:           listOf(with.nameservers),
			DNS01CheckAuthoritative:           true,
			DNS01Nameservers:                  []string{net.JoinHostPort("127.0.0.1", "53")},
			DNS01CheckRetryPeriod:             10 * time.Second,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerKind:        "Issuer",
			DefaultIssuerGroup:       "cert-manager.io",
			GatewayAPIExtraProtocols: sets.New[string](),
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
			CertificateRequestMinimumBackoffDuration: time.Hour,
			CertificateRequestMaximumBackoffDuration: 32 * time.Hour,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: 60},
		ConfigOptions: controller.ConfigOptions{
			EnableGatewayAPI:            with.gateway,
			EnableGatewayAPIListenerSet: with.listenerSets,
		},
	}
}

func listOf(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(part string) bool { return part == "" })
}
