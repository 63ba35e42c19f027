package bft

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger-labs/SmartBFT/pkg/api"
	"github.com/hyperledger-labs/SmartBFT/pkg/metrics/disabled"
	"github.com/hyperledger-labs/SmartBFT/pkg/types"
	protos "github.com/hyperledger-labs/SmartBFT/smartbftprotos"
	"go.uber.org/zap"
)

// waitMax is how long anything here may take on a machine that is busy; what hangs never ends.
func waitMax() time.Duration {
	if given, err := time.ParseDuration(os.Getenv("REPAIRED_WAIT_MAX")); err == nil {
		return given
	}
	return time.Minute
}

type fakeBatcher struct{ Batcher }

func (fakeBatcher) Close()       {}
func (fakeBatcher) Closed() bool { return true }
func (fakeBatcher) Reset()       {}

type fakePool struct{ RequestPool }

func (fakePool) Close()                                {}
func (fakePool) RemoveRequest(types.RequestInfo) error { return nil }

type fakeMonitor struct{ LeaderMonitor }

func (fakeMonitor) ChangeRole(Role, uint64, uint64) {}
func (fakeMonitor) Close()                          {}

type fakeVerifier struct{ api.Verifier }

func (fakeVerifier) VerificationSequence() uint64 { return 1 }

type fakeComm struct{ api.Comm }

func (fakeComm) SendConsensus(uint64, *protos.Message) {}

type fakeApplication struct {
	deliver func(types.Proposal) types.Reconfig
}

func (a fakeApplication) Deliver(proposal types.Proposal, _ []types.Signature) types.Reconfig {
	return a.deliver(proposal)
}

type fakeSynchronizer struct{}

func (fakeSynchronizer) Sync() types.SyncResponse { return types.SyncResponse{} }

// fakeView is a view that has decided just when it is aborted; like the real one it ends when Decide returns.
type fakeView struct {
	Proposer
	aborted    chan struct{}
	once       sync.Once
	lastWords  func()
	wordsEnded sync.WaitGroup
	spoken     func() bool
}

func (v *fakeView) Start()                     {}
func (v *fakeView) GetLeaderID() uint64        { return 1 }
func (v *fakeView) AbortChan() <-chan struct{} { return v.aborted }

func (v *fakeView) Stopped() bool {
	select {
	case <-v.aborted:
		return true
	default:
		return false
	}
}

func (v *fakeView) Abort() {
	v.once.Do(func() {
		if v.lastWords != nil {
			v.wordsEnded.Add(1)
			go func() {
				defer v.wordsEnded.Done()
				v.lastWords()
			}()
			for !v.spoken() {
				time.Sleep(time.Millisecond)
			}
		}
		close(v.aborted)
	})
	v.wordsEnded.Wait()
}

// started is what a view was asked to begin with.
type started struct{ view, sequence, decisions uint64 }

type fakeBuilder struct {
	views   chan *fakeView
	started chan started
}

func (b *fakeBuilder) NewProposer(_, sequence, view, decisions uint64, _ int) (Proposer, Phase) {
	b.started <- started{view, sequence, decisions}
	return <-b.views, COMMITTED
}

func proposalOf(view, sequence, decisions uint64) types.Proposal {
	return types.Proposal{Payload: []byte{byte(sequence)}, Metadata: MarshalOrPanic(&protos.ViewMetadata{
		ViewId: view, LatestSequence: sequence, DecisionsInView: decisions,
	})}
}

type world struct {
	*Controller
	builder   *fakeBuilder
	delivered chan types.Proposal
	deliver   func(types.Proposal) types.Reconfig
}

// running is a follower in view 1 that has delivered sequence 5, the fifth decision of that view, whose view speaks as
// it is aborted when words are given.
func running(words func(*Controller)) *world {
	w := &world{
		builder:   &fakeBuilder{views: make(chan *fakeView, 8), started: make(chan started, 8)},
		delivered: make(chan types.Proposal, 8),
	}
	w.deliver = func(types.Proposal) types.Reconfig { return types.Reconfig{} }
	c := &Controller{
		ID: 4, N: 4, NodesList: []uint64{1, 2, 3, 4}, Logger: zap.NewNop().Sugar(),
		Batcher: fakeBatcher{}, RequestPool: fakePool{}, LeaderMonitor: fakeMonitor{}, Verifier: fakeVerifier{},
		Comm: fakeComm{}, Synchronizer: fakeSynchronizer{}, ProposerBuilder: w.builder,
		Checkpoint: &types.Checkpoint{}, InFlight: &InFlightData{}, ViewSequences: &atomic.Value{},
		Collector:   &StateCollector{SelfID: 4, N: 4, Logger: zap.NewNop().Sugar(), CollectTimeout: time.Millisecond},
		MetricsView: api.NewMetricsView(&disabled.Provider{}), StartedWG: &sync.WaitGroup{},
	}
	w.Controller = c
	c.Application = fakeApplication{func(p types.Proposal) types.Reconfig {
		w.delivered <- p
		return w.deliver(p)
	}}
	c.Deliver = &MutuallyExclusiveDeliver{C: c}
	c.Checkpoint.Set(proposalOf(1, 5, 4), nil)
	c.ViewSequences.Store(ViewSequence{ProposalSeq: 6, ViewActive: true})
	c.Collector.Start()
	first := &fakeView{aborted: make(chan struct{}), spoken: func() bool { return len(c.decisionChan) == 1 }}
	if words != nil {
		first.lastWords = func() { words(c) }
	}
	w.builder.views <- first
	for i := 0; i < 4; i++ {
		w.builder.views <- &fakeView{aborted: make(chan struct{})}
	}
	c.StartedWG.Add(1)
	c.Start(1, 6, 5, false)
	<-w.builder.started
	return w
}

func within[T any](t *testing.T, what string, came <-chan T) T {
	t.Helper()
	select {
	case value := <-came:
		return value
	case <-time.After(waitMax()):
		t.Fatalf("%s: still waiting after %s", what, waitMax())
		panic("not reached")
	}
}

// ends fails the test when the work does not end.
func ends(t *testing.T, what string, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	within(t, what, done)
}

func decides(sequence, decisions uint64) func(*Controller) {
	return func(c *Controller) { c.Decide(proposalOf(1, sequence, decisions), nil, nil) }
}

func TestRepairedADecisionWhoseViewIsAbortedIsDeliveredAndNobodyWaitsForEver(t *testing.T) {
	w := running(decides(6, 5))
	ends(t, "the view changer's aborts", func() {
		for i := 0; i < 4; i++ { // the controller takes one, its channel holds one: the third waits for a controller that lives
			w.AbortView(1)
		}
	})
	if p := within(t, "the delivery", w.delivered); p.Payload[0] != 6 {
		t.Fatalf("delivered %v", p)
	}
	ends(t, "the new view", func() { w.ViewChanged(2, 7) })
	if got := within(t, "the start of the new view", w.builder.started); got != (started{2, 7, 0}) {
		t.Fatalf("began with %v", got)
	}
	ends(t, "the stop", w.Stop)
}

func TestRepairedAViewBeginsBehindADecisionThatCameAfterItsStartWasChosen(t *testing.T) {
	w := running(decides(6, 5))
	ends(t, "the new view", func() { w.ViewChanged(2, 6) })
	within(t, "the delivery", w.delivered)
	if got := within(t, "the start of the new view", w.builder.started); got != (started{2, 7, 0}) {
		t.Fatalf("began with %v", got)
	}
	ends(t, "the stop", w.Stop)
}

func TestRepairedAViewThatStartsAnewCountsTheDecisionThatCameLate(t *testing.T) {
	w := running(decides(6, 5))
	ends(t, "the abort", func() { w.AbortView(1) })
	within(t, "the delivery", w.delivered)
	w.ViewSequences.Store(ViewSequence{ProposalSeq: 7})
	w.Sync()
	if got := within(t, "the start of the same view", w.builder.started); got != (started{1, 7, 6}) {
		t.Fatalf("began with %v", got)
	}
	ends(t, "the stop", w.Stop)
}

func TestRepairedAControllerThatHasStoppedKeepsNobodyWaiting(t *testing.T) {
	w := running(nil)
	w.Stop()
	ends(t, "signals to one that has stopped", func() {
		for i := 0; i < 4; i++ {
			w.AbortView(1)
			w.ViewChanged(2, 7)
		}
	})
}

func TestRepairedAChangeOfConsentersInAnAbortedViewStartsNoOtherView(t *testing.T) {
	w := running(decides(6, 5))
	w.deliver = func(types.Proposal) types.Reconfig { return types.Reconfig{InLatestDecision: true} }
	ends(t, "the new view", func() { w.ViewChanged(2, 7) })
	within(t, "the delivery", w.delivered)
	ends(t, "the end of the controller", w.controllerDone.Wait)
	if len(w.builder.started) != 0 {
		t.Fatalf("began with %v", <-w.builder.started)
	}
}

type fullBatcher struct{ Batcher }

func (fullBatcher) Closed() bool        { return false }
func (fullBatcher) NextBatch() [][]byte { return [][]byte{{9}} }

type fakeAssembler struct{ made types.Proposal }

func (a fakeAssembler) AssembleProposal([]byte, [][]byte) types.Proposal { return a.made }

type hearingView struct {
	Proposer
	heard *types.Proposal
}

func (v *hearingView) GetMetadata() []byte             { return nil }
func (v *hearingView) Propose(proposal types.Proposal) { *v.heard = proposal }

func TestRepairedALeaderWhoseViewStartsAnewProposesWhatIsInFlightAndNoOther(t *testing.T) {
	var heard types.Proposal
	another := types.Proposal{Payload: []byte{99}}
	c := &Controller{
		Logger: zap.NewNop().Sugar(), Batcher: fullBatcher{}, Assembler: fakeAssembler{another},
		Checkpoint: &types.Checkpoint{}, InFlight: &InFlightData{}, currView: &hearingView{heard: &heard},
		stopChan: make(chan struct{}), currViewNumber: 5,
	}
	c.Checkpoint.Set(proposalOf(5, 36, 5), nil)
	c.InFlight.StoreProposal(proposalOf(5, 37, 6))
	c.propose()
	if heard.Payload[0] != 37 {
		t.Fatalf("proposed %v", heard)
	}
	for name, later := range map[string]func(){
		"decided":       func() { c.Checkpoint.Set(proposalOf(5, 37, 6), nil) },
		"in a new view": func() { c.Checkpoint.Set(proposalOf(5, 36, 5), nil); c.currViewNumber = 6 },
	} {
		later()
		c.propose()
		if heard.Payload[0] != 99 {
			t.Fatalf("%s: proposed %v", name, heard)
		}
	}
}

func TestRepairedAFetchBetweenTwoViewsStartsNeither(t *testing.T) {
	w := running(nil)
	fetcher, able := any(w.Controller).(interface{ fetch() })
	if !able {
		t.Fatal("it cannot fetch without starting a view")
	}
	ends(t, "the abort", func() { w.AbortView(1) })
	for !w.currentViewStopped() {
		time.Sleep(time.Millisecond)
	}
	fetcher.fetch()
	ends(t, "the new view", func() { w.ViewChanged(2, 6) })
	if got := within(t, "the start of a view", w.builder.started); got != (started{2, 6, 0}) {
		t.Fatalf("began with %v", got)
	}
	ends(t, "the stop", w.Stop)
}
