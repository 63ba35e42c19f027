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
)

const ticksBehind = 3

type fakeDecider struct{}

func (fakeDecider) Decide(types.Proposal, []types.Signature, []types.RequestInfo) {}

type syncHandler struct{ synced chan struct{} }

func (syncHandler) OnHeartbeatTimeout(uint64, uint64) {}
func (h syncHandler) Sync()                           { h.synced <- struct{}{} }

// inView is a view of a leader that goes on from the sequence given, and says where it is.
func inView(sequence uint64) *View {
	return &View{
		SelfID: 1, LeaderID: 1, N: 4, ProposalSequence: sequence, Logger: zap.NewNop().Sugar(),
		Decider: fakeDecider{}, ViewSequences: &atomic.Value{}, myProposalSig: &types.Signature{},
		MetricsView: api.NewMetricsView(&disabled.Provider{}),
		prepares:    &voteSet{}, nextPrepares: &voteSet{}, commits: &voteSet{}, nextCommits: &voteSet{},
	}
}

// syncs says whether a follower whose view has begun at its sequence fetches after heartbeats that name the leader's.
func syncs(own, leaders uint64) bool {
	clock, handler := make(chan time.Time), syncHandler{make(chan struct{}, 8)}
	at := &atomic.Value{}
	at.Store(ViewSequence{ProposalSeq: own, ViewActive: true})
	monitor := NewHeartbeatMonitor(clock, zap.NewNop().Sugar(), time.Hour, 10, nil, 4, handler, at, ticksBehind)
	monitor.ChangeRole(Follower, 0, 1)
	defer monitor.Close()
	beat := &protos.Message{Content: &protos.Message_HeartBeat{HeartBeat: &protos.HeartBeat{Seq: leaders}}}
	now := time.Now()
	for i := 0; i <= ticksBehind; i++ {
		monitor.ProcessMsg(1, beat)
		now = now.Add(time.Second)
		clock <- now
	}
	monitor.ProcessMsg(1, beat) // all before is done once this is taken
	return len(handler.synced) > 0
}

func TestRepairedANodeThatBeganAtASequenceTheOthersHaveDecidedFetchesIt(t *testing.T) {
	leader := inView(6)
	leader.decide(&types.Proposal{}, nil, nil)
	said := leader.ViewSequences.Load().(ViewSequence).ProposalSeq
	if syncs(7, said) {
		t.Fatal("a node that lacks nothing fetches")
	}
	if !syncs(6, said) {
		t.Fatalf("the leader has decided 6 and says %d; a node that waits for 6 never fetches it", said)
	}
}
