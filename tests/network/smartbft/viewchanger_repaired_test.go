package bft

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger-labs/SmartBFT/pkg/api"
	"github.com/hyperledger-labs/SmartBFT/pkg/metrics/disabled"
	"github.com/hyperledger-labs/SmartBFT/pkg/types"
	protos "github.com/hyperledger-labs/SmartBFT/smartbftprotos"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

type fakeTimer struct{ RequestsTimer }

func (fakeTimer) RemoveRequest(types.RequestInfo) error { return nil }

type fakePruner struct{}

func (fakePruner) MaybePruneRevokedRequests() {}

type fakeSigner struct{ api.Signer }

func (fakeSigner) SignProposal(types.Proposal, []byte) *types.Signature {
	return &types.Signature{ID: 1, Value: []byte{4}}
}

type consenterVerifier struct{ api.Verifier }

func (consenterVerifier) VerifyConsenterSig(types.Signature, types.Proposal) ([]byte, error) {
	return nil, nil
}

type quietComm struct{ Comm }

func (quietComm) BroadcastConsensus(*protos.Message) {}

type countingSynchronizer struct{ calls atomic.Int64 }

func (s *countingSynchronizer) Sync() { s.calls.Add(1) }

func TestRepairedAViewChangerThatGivesUpOnAProposalLetsItsViewEnd(t *testing.T) {
	delivering, release, ticks := make(chan struct{}), make(chan struct{}), make(chan time.Time)
	synchronizer := &countingSynchronizer{}
	v := &ViewChanger{
		SelfID: 1, N: 4, NodesList: []uint64{1, 2, 3, 4}, quorum: 3, f: 1, Logger: zap.NewNop().Sugar(),
		Comm: quietComm{}, Signer: fakeSigner{}, Verifier: consenterVerifier{}, Synchronizer: synchronizer,
		Checkpoint: &types.Checkpoint{}, InFlight: &InFlightData{}, State: &StateRecorder{},
		RequestsTimer: fakeTimer{}, Pruner: fakePruner{}, ViewSequences: &atomic.Value{}, Ticker: ticks,
		InMsqQSize: 100, ViewChangeTimeout: time.Second, backOffFactor: 1, checkTimeout: true,
		startViewChangeTime: time.Unix(0, 0), startChangeChan: make(chan *change, 2), stopChan: make(chan struct{}),
		inFlightDecideChan: make(chan struct{}), inFlightSyncChan: make(chan struct{}),
		MetricsBlacklist: api.NewMetricsBlacklist(&disabled.Provider{}),
		MetricsView:      api.NewMetricsView(&disabled.Provider{}),
		Application: fakeApplication{func(types.Proposal) types.Reconfig {
			close(delivering)
			<-release
			return types.Reconfig{}
		}},
	}
	proposal := types.Proposal{Payload: []byte{1}, Metadata: proposalOf(0, 2, 0).Metadata, VerificationSequence: 1}
	v.Checkpoint.Set(proposalOf(0, 1, 0), nil)
	committed := make(chan bool, 1)
	go func() {
		committed <- v.commitInFlightProposal(&protos.Proposal{
			Payload: proposal.Payload, Metadata: proposal.Metadata, VerificationSequence: 1,
		})
	}()
	ticks <- time.Unix(0, 0)
	ticks <- time.Unix(0, 0)
	for _, voter := range []uint64{2, 3} {
		v.HandleViewMessage(voter, &protos.Message{Content: &protos.Message_Commit{Commit: &protos.Commit{
			Seq: 2, Digest: proposal.Digest(), Signature: &protos.Signature{Signer: voter, Value: []byte{4}},
		}}})
	}
	within(t, "the delivery", delivering)
	ticks <- time.Unix(10, 0) // the time is up while the delivery is under way
	for synchronizer.calls.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if within(t, "the end of the try", committed) {
		t.Fatal("a try that was given up counts as committed")
	}
}

func TestRepairedAViewInFlightMayAskToSyncMoreThanOnce(t *testing.T) {
	v := &ViewChanger{
		Logger: zap.NewNop().Sugar(), Synchronizer: &countingSynchronizer{},
		inFlightSyncChan: make(chan struct{}, 1),
	}
	ends(t, "two calls", func() {
		v.Sync()
		v.Sync()
	})
}

type recordingComm struct {
	Comm
	sent chan *protos.Message
}

func (c recordingComm) BroadcastConsensus(*protos.Message) {}

func (c recordingComm) SendConsensus(_ uint64, m *protos.Message) { c.sent <- m }

type plainSigner struct{ api.Signer }

func (plainSigner) Sign([]byte) []byte { return []byte{4} }

func TestRepairedWhatTheNextLeaderMayHaveRefusedIsSentAgain(t *testing.T) {
	comm := recordingComm{sent: make(chan *protos.Message, 8)}
	v := &ViewChanger{
		SelfID: 4, N: 4, NodesList: []uint64{1, 2, 3, 4}, Logger: zap.NewNop().Sugar(), Comm: comm,
		Signer: plainSigner{}, Checkpoint: &types.Checkpoint{}, InFlight: &InFlightData{},
		realView: 5, currView: 6, nextView: 6, checkTimeout: true, ResendTimeout: time.Second,
	}
	v.checkIfResendViewChange(time.Unix(100, 0))
	select {
	case m := <-comm.sent:
		if m.GetViewData() == nil {
			t.Fatalf("sent %v", m)
		}
	default:
		t.Fatal("nothing was sent to the next leader")
	}
	v.nextView = 7 // it has given up on that view
	v.checkIfResendViewChange(time.Unix(200, 0))
	if len(comm.sent) != 0 {
		t.Fatal("it was sent for a view that is given up")
	}
}

func TestRepairedWhatIsPreparedStaysSoWhenItIsProposedAgain(t *testing.T) {
	inFlight := &InFlightData{}
	inFlight.StoreProposal(proposalOf(5, 37, 6))
	inFlight.StorePrepares(5, 37)
	inFlight.StoreProposal(proposalOf(5, 37, 6))
	if !inFlight.IsInFlightPrepared() {
		t.Fatal("a vote was forgotten")
	}
	inFlight.StoreProposal(proposalOf(5, 38, 7))
	if inFlight.IsInFlightPrepared() {
		t.Fatal("another proposal counts as prepared")
	}
}

type fakeAborts struct {
	ViewController
	views chan uint64
}

func (a fakeAborts) AbortView(view uint64) { a.views <- view }

type stoppedTimer struct{ RequestsTimer }

func (stoppedTimer) StopTimers() {}

func wants(view uint64) *protos.Message {
	return &protos.Message{Content: &protos.Message_ViewChange{ViewChange: &protos.ViewChange{NextView: view}}}
}

func TestRepairedOneThatIsViewsBehindJoinsTheOthers(t *testing.T) {
	aborts := fakeAborts{views: make(chan uint64, 8)}
	v := &ViewChanger{
		SelfID: 4, N: 4, NodesList: []uint64{1, 2, 3, 4}, quorum: 3, f: 1, Logger: zap.NewNop().Sugar(),
		Comm: quietComm{}, Controller: aborts, RequestsTimer: stoppedTimer{}, nvs: &nextViews{},
		MetricsViewChange: api.NewMetricsViewChange(&disabled.Provider{}), realView: 3, currView: 3, nextView: 3,
	}
	v.nvs.clear()
	v.setupVotes()
	v.processMsg(1, wants(6))
	v.processMsg(1, wants(9))
	if v.nextView != 3 {
		t.Fatalf("one alone, who may lie, made it want view %d", v.nextView)
	}
	v.processMsg(2, wants(6))
	if v.currView != 5 || v.nextView != 6 || len(aborts.views) != 1 {
		t.Fatalf("it is in view %d and wants %d", v.currView, v.nextView)
	}
}

type countingFetcher struct {
	ViewController
	calls int
}

func (f *countingFetcher) fetch() { f.calls++ }

// lastDecided is what a node that has decided a sequence sends to the next leader of a view.
func lastDecided(view, sequence uint64) *protos.Message {
	decided := proposalOf(view-1, sequence, 0)
	raw, err := proto.Marshal(&protos.ViewData{
		NextView: view, LastDecision: &protos.Proposal{Payload: decided.Payload, Metadata: decided.Metadata},
	})
	if err != nil {
		panic(err)
	}
	return &protos.Message{Content: &protos.Message_ViewData{ViewData: &protos.SignedViewData{RawViewData: raw}}}
}

func TestRepairedANextLeaderThatLacksBlocksFetchesThemWhenMoreThanOneLiarSaysSo(t *testing.T) {
	fetcher := &countingFetcher{}
	v := &ViewChanger{
		SelfID: 3, N: 4, NodesList: []uint64{1, 2, 3, 4}, quorum: 3, f: 1, Logger: zap.NewNop().Sugar(),
		Checkpoint: &types.Checkpoint{}, Controller: fetcher, realView: 5, currView: 6, nextView: 6,
	}
	v.Checkpoint.Set(proposalOf(5, 7, 0), nil)
	v.processMsg(1, lastDecided(6, 9))
	v.processMsg(1, lastDecided(6, 99))
	v.processMsg(2, lastDecided(7, 9)) // of another view
	if calls := fetcher.calls; calls != 0 {
		t.Fatalf("one alone, who may lie, made it ask %d times", calls)
	}
	v.processMsg(4, lastDecided(6, 9))
	if calls := fetcher.calls; calls != 1 {
		t.Fatalf("it asked for blocks %d times", calls)
	}
	v.realView = 6 // it leads by now
	v.processMsg(1, lastDecided(6, 19))
	v.processMsg(4, lastDecided(6, 19))
	if calls := fetcher.calls; calls != 1 {
		t.Fatal("it asked while its view runs")
	}
}

// signedBy is what a next leader says that has decided a sequence, with signatures of so many consenters.
func signedBy(signers int, view, sequence uint64) *protos.Message {
	decided := proposalOf(view-1, sequence, 0)
	vd := &protos.ViewData{
		NextView: view, LastDecision: &protos.Proposal{Payload: decided.Payload, Metadata: decided.Metadata},
	}
	for signer := range signers {
		vd.LastDecisionSignatures = append(vd.LastDecisionSignatures, &protos.Signature{Signer: uint64(signer + 1)})
	}
	raw, err := proto.Marshal(vd)
	if err != nil {
		panic(err)
	}
	return &protos.Message{Content: &protos.Message_ViewData{ViewData: &protos.SignedViewData{RawViewData: raw}}}
}

func (consenterVerifier) RequestsFromProposal(types.Proposal) []types.RequestInfo { return nil }

func waitingForViewSix(id, sequence uint64, comm recordingComm, controller ViewController) *ViewChanger {
	v := &ViewChanger{
		SelfID: id, N: 4, NodesList: []uint64{1, 2, 3, 4}, quorum: 3, f: 1, Logger: zap.NewNop().Sugar(), Comm: comm,
		Signer: plainSigner{}, Verifier: consenterVerifier{}, Checkpoint: &types.Checkpoint{}, InFlight: &InFlightData{},
		RequestsTimer: fakeTimer{}, Pruner: fakePruner{}, Controller: controller, stopChan: make(chan struct{}),
		realView: 5, currView: 6, nextView: 6,
	}
	v.Checkpoint.Set(proposalOf(5, sequence, 0), nil)
	v.Application = fakeApplication{func(p types.Proposal) types.Reconfig {
		v.Checkpoint.Set(p, nil)
		return types.Reconfig{}
	}}
	return v
}

func TestRepairedANextLeaderTellsWhoLacksTheLastDecision(t *testing.T) {
	comm := recordingComm{sent: make(chan *protos.Message, 8)}
	leader := waitingForViewSix(3, 9, comm, &countingFetcher{})
	leader.processMsg(1, lastDecided(7, 8)) // of another view
	if len(comm.sent) != 0 {
		t.Fatal("it answered a word of another view")
	}
	leader.processMsg(1, lastDecided(6, 8))
	if len(comm.sent) != 1 {
		t.Fatal("it refused and said nothing")
	}
}

func TestRepairedWhoLacksTheLastDecisionTakesItFromTheNextLeader(t *testing.T) {
	comm := recordingComm{sent: make(chan *protos.Message, 8)}
	fetcher := &countingFetcher{}
	v := waitingForViewSix(4, 8, comm, fetcher)
	v.processMsg(3, signedBy(2, 6, 9)) // no quorum has signed it
	v.processMsg(2, signedBy(3, 6, 9)) // who says it does not lead that view
	if mine, _ := v.extractCurrentSequence(); mine != 8 || len(comm.sent) != 0 {
		t.Fatalf("it believed the wrong one: %d", mine)
	}
	v.processMsg(3, signedBy(3, 6, 9))
	if mine, _ := v.extractCurrentSequence(); mine != 9 || len(comm.sent) != 1 {
		t.Fatalf("it has decided %d and sent %d words", mine, len(comm.sent))
	}
	v.processMsg(3, signedBy(3, 6, 12)) // more than one at once cannot be taken from a message
	v.processMsg(3, signedBy(3, 6, 12))
	if mine, _ := v.extractCurrentSequence(); mine != 9 || fetcher.calls != 1 {
		t.Fatalf("it has decided %d and fetched %d times", mine, fetcher.calls)
	}
	v.realView = 6 // its view runs by now
	v.processMsg(3, signedBy(3, 6, 10))
	if mine, _ := v.extractCurrentSequence(); mine != 9 {
		t.Fatal("it took a decision past its running view")
	}
}
