"""Our repair of SmartBFT, the library with which BFT orderers agree: it goes into a copy of its source at each build.

Every released version can stop ordering for good. What is mended, all of one kind (somebody waits for a goroutine that
has gone, or that waits for him):

1. A view that is aborted between deciding and being heard leaves its decision behind. The controller delivers it and
   then waits for ever for a reader who has left; the view changer waits for the controller. Now a delivery is announced
   by closing a channel of that decision, which waits for nobody.
2. Such a late decision was counted, and the next view started, as if it were not there. Now it is delivered before the
   aborted view counts as ended, and the view that follows begins after it.
3. A controller that has stopped, as it does at each change of the consenters, reads no signals any more: the view
   changer does not wait for it.
4. A view changer that gives up on a proposal in flight waits for its view to end, and that one waits to report. Each
   try has signals of its own now, with room for one.
5. A change of the consenters waits, under its lock, for those who may just wish to complain, which needs that lock. A
   complaint about a leader while the consenters change is void, and is dropped.

And three of another kind, by which a change of the view never succeeds while one consenter is down:

6. What a node sends to the next leader is refused when that one is not as far yet, and it is sent once. Now it is sent
   again as long as the node waits for the new view.
7. After a change of the view that failed, nodes start the old view again, and its leader proposed another batch under
   the same view and sequence: no later change of the view can choose between the two, and two of them might even be
   decided. Now it proposes what is in flight, and what is prepared stays so when it is proposed again.
8. A node that was started again is views behind others who try in vain to leave theirs. When it leads its own view it
   never complains, and it refuses the others' votes, who wait for its one. Now it joins as soon as more than f others,
   who cannot all lie, want a later view.

And three by which a node that lacks blocks does not get them:

9. A heartbeat says how far the leader is. After a decision it named the sequence decided, at a view's start the next
   one: a node whose view began at a sequence that the others had decided meanwhile saw its own number, and on a channel
   where nothing else was ordered it stayed a block behind, with no vote, for ever. Now both name the next one.
10. A next leader that is more than one block behind refuses what the others send it, since one that lies may claim any
   block, and asks for blocks only after that change of the view has failed. Now it asks as soon as more than f say so;
   the view that it has left is not started again by that, as a sync otherwise does.
11. What a node sends that lacks the last block is refused by the next leader, and nobody tells it why: with another
   node down no change of the view succeeds until it has fetched that block, which it begins when one has failed. Now
   the next leader answers with what it knows itself. Who finds a decision in it that a quorum has signed and that it
   has not, takes it up, or fetches when it lacks more than one, and sends its own word again.

An edit names a text that must be there exactly once; the file must be the very one that the edits were written for.
This room changes the copy that it is given and nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from network.errors import SetupError

MODULE = "github.com/hyperledger-labs/SmartBFT"
VERSION = "v1.0.1"
ADDED = Path("internal/bft/settle.go")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the module: the SHA-256 (hex) it must have, and (text, its replacement) of each edit."""

    digest: str
    edits: tuple[tuple[str, str], ...]


_SYNCED = "\t\t\tview, seq, dec := c.sync()\n\t\t\tc.MaybePruneRevokedRequests()\n"
_CONTROLLER = (
    ("\tsyncLock  sync.Mutex\n}", "\tsyncLock  sync.Mutex\n\tfetching  atomic.Bool\n}"),
    (
        _SYNCED,
        f"\t\t\tfetching := c.fetching.Swap(false)\n{_SYNCED}"
        "\t\t\tif fetching && c.currentViewStopped() && view <= c.getCurrentViewNumber() {\n"
        "\t\t\t\tcontinue\n\t\t\t}\n",
    ),
    ("\tdeliverChan          chan struct{}\n", ""),
    ("\tc.deliverChan = make(chan struct{})\n", ""),
    ("\trequests   []types.RequestInfo\n}", "\trequests   []types.RequestInfo\n\tdelivered  chan struct{}\n}"),
    (
        "\tselect {\n\tcase c.decisionChan <- decision{",
        "\tdelivered := make(chan struct{})\n\tselect {\n\tcase c.decisionChan <- decision{",
    ),
    ("\t\tsignatures: signatures,\n\t}:", "\t\tsignatures: signatures,\n\t\tdelivered:  delivered,\n\t}:"),
    ("case <-c.deliverChan:", "case <-delivered:"),
    (
        "\tselect {\n\tcase c.deliverChan <- struct{}{}:\n\tcase <-c.stopChan:\n\t\treturn\n\t}\n",
        "\tclose(d.delivered)\n\tif c.stopped() {\n\t\treturn\n\t}\n",
    ),
    ("\tc.currView.Abort()\n\n\treturn true\n", "\tc.currView.Abort()\n\n\treturn c.settle()\n"),
    (
        "\tif !c.abortView(latestView) {\n\t\treturn\n\t}\n",
        "\tbefore := c.latestSeq()\n\tif !c.abortView(latestView) {\n\t\treturn\n\t}\n"
        "\tnewProposalSequence, newDecisionsInView = "
        "c.afterLate(before, newViewNumber, newProposalSequence, newDecisionsInView)\n",
    ),
    (
        "\tc.abortViewChan <- view\n",
        "\tselect {\n\tcase c.abortViewChan <- view:\n\tcase <-c.stopChan:\n\t}\n",
    ),
    (
        "\tc.viewChange <- viewInfo{proposalSeq: newProposalSequence, viewNumber: newViewNumber}\n",
        "\tselect {\n\tcase c.viewChange <- viewInfo{proposalSeq: newProposalSequence, viewNumber: newViewNumber}:\n"
        "\tcase <-c.stopChan:\n\t}\n",
    ),
    (
        "\tnextBatch := c.Batcher.NextBatch()\n",
        "\tif again := c.inFlightAgain(); again != nil {\n\t\tc.currView.Propose(*again)\n\t\treturn\n\t}\n"
        "\tnextBatch := c.Batcher.NextBatch()\n",
    ),
)
_VOTED = "\t\tv.nvs.registerNext(vc.NextView, sender)\n"
_RESENT = '\t\tv.Logger.Debugf("Node %d resent a view change message'
_REFUSED = "\t\tif !v.validateViewDataMsg(vd, sender) {\n"
_VIEW_CHANGER = (
    (
        "\tcommittedDuringViewChange *protos.ViewMetadata\n",
        "\tcommittedDuringViewChange *protos.ViewMetadata\n\tahead map[uint64]bool\n\tasked uint64\n",
    ),
    (_REFUSED, f"{_REFUSED}\t\t\tv.fetchWhenBehind(vd, sender)\n\t\t\tv.shareLastDecision(vd, sender)\n"),
    (_RESENT, f"\t\tv.resendViewData()\n{_RESENT}"),
    (_VOTED, f"{_VOTED}\t\tv.catchUp()\n"),
    ("\tv.inFlightDecideChan = make(chan struct{})\n\tv.inFlightSyncChan = make(chan struct{})\n\n", ""),
    (
        "\tinFlightView.Start()\n",
        "\tv.inFlightDecideChan = make(chan struct{}, 1)\n\tv.inFlightSyncChan = make(chan struct{}, 1)\n"
        "\tinFlightView.Start()\n",
    ),
    (
        "\tv.inFlightSyncChan <- struct{}{}\n",
        "\tselect {\n\tcase v.inFlightSyncChan <- struct{}{}:\n\tdefault: // told already\n\t}\n",
    ),
)
_SEQUENCE = "\tv.ViewSequences.Store(ViewSequence{ProposalSeq: v.ProposalSequence, ViewActive: true})\n"
_VIEW = (
    (_SEQUENCE, ""),
    ("\tv.startNextSeq()\n\tsignatures", f"\tv.startNextSeq()\n{_SEQUENCE}\tsignatures"),
)
_IN_FLIGHT = (
    (
        "\tifp.v = &inFlightProposalData{proposal: &p}\n",
        "\tprepared := ifp.v != nil && ifp.v.prepared && ifp.v.proposal.Digest() == p.Digest()\n"
        "\tifp.v = &inFlightProposalData{proposal: &p, prepared: prepared}\n",
    ),
)
_CONSENSUS = (
    (
        "stopView bool) {\n\tc.consensusLock.RLock()\n",
        "stopView bool) {\n\tif !c.consensusLock.TryRLock() {\n\t\treturn // everything starts anew\n\t}\n",
    ),
)
_SETTLE = """package bft

import (
	"slices"

	"github.com/hyperledger-labs/SmartBFT/pkg/types"
	protos "github.com/hyperledger-labs/SmartBFT/smartbftprotos"
	"google.golang.org/protobuf/proto"
)

// settle delivers what a view decided that ended before its decision was taken up. It runs where decisions are taken
// up otherwise, after the view's end, so nothing can follow from that view. False once the controller has stopped.
func (c *Controller) settle() bool {
	select {
	case d := <-c.decisionChan:
		before := c.latestSeq()
		reconfig := c.Deliver.Deliver(d.proposal, d.signatures)
		if reconfig.InLatestDecision {
			c.close()
		}
		c.removeDeliveredFromPool(d)
		close(d.delivered)
		if c.latestSeq() > before {
			c.incrementCurrentDecisionsInView()
		}
		c.MaybePruneRevokedRequests()
	default:
	}
	return !c.stopped()
}

// afterLate moves the start of a view behind a decision that came after that start had been chosen.
func (c *Controller) afterLate(before, view, sequence, decisions uint64) (uint64, uint64) {
	proposal, _ := c.Checkpoint.Get()
	last := &protos.ViewMetadata{}
	if err := proto.Unmarshal(proposal.Metadata, last); err != nil {
		c.Logger.Panicf("the checkpoint's metadata cannot be read: %v", err)
	}
	if last.LatestSequence == before || last.LatestSequence < sequence {
		return sequence, decisions
	}
	if last.ViewId == view {
		decisions = last.DecisionsInView + 1
	}
	return last.LatestSequence + 1, decisions
}

// inFlightAgain is what this leader has proposed in this view and for the next sequence already, nil when it has not:
// the view was aborted since, and runs again.
func (c *Controller) inFlightAgain() *types.Proposal {
	if c.InFlight == nil {
		return nil
	}
	proposal := c.InFlight.InFlightProposal()
	if proposal == nil {
		return nil
	}
	metadata := &protos.ViewMetadata{}
	if err := proto.Unmarshal(proposal.Metadata, metadata); err != nil {
		c.Logger.Panicf("the metadata in flight cannot be read: %v", err)
	}
	if metadata.ViewId != c.getCurrentViewNumber() || metadata.LatestSequence != c.latestSeq()+1 {
		return nil
	}
	return proposal
}

// catchUp joins others who want a later view than the next one. More than f of them cannot all lie; the view is the
// latest that so many want to reach or to pass.
func (v *ViewChanger) catchUp() {
	var later []uint64
	for _, next := range v.nvs.n {
		if next > v.currView+1 {
			later = append(later, next)
		}
	}
	if len(later) <= v.f {
		return
	}
	slices.Sort(later)
	v.currView = later[len(later)-1-v.f] - 1
	v.nextView = v.currView
	v.MetricsViewChange.CurrentView.Set(float64(v.currView))
	v.viewChangeMsgs.clear(v.N)
	v.viewDataMsgs.clear(v.N)
	v.Logger.Infof("Node %d joins others on their way to view %d", v.SelfID, v.currView+1)
	v.startViewChange(&change{view: v.currView, stopView: true})
}

// readWaitingFor is what a message for the view that this node waits for says, and the sequence of the last decision
// in it; nil when it says nothing that can be read, or is of another view.
func (v *ViewChanger) readWaitingFor(svd *protos.SignedViewData) (*protos.ViewData, uint64) {
	vd, last := &protos.ViewData{}, &protos.ViewMetadata{}
	if v.currView == v.realView { // a view that runs is not between two
		return nil, 0
	}
	if proto.Unmarshal(svd.RawViewData, vd) != nil || vd.NextView != v.currView || vd.LastDecision == nil {
		return nil, 0
	}
	if proto.Unmarshal(vd.LastDecision.Metadata, last) != nil {
		return nil, 0
	}
	return vd, last.LatestSequence
}

// shareLastDecision tells a sender who lacks the last decision what this next leader knows, and takes up what a next
// leader tells this node.
func (v *ViewChanger) shareLastDecision(svd *protos.SignedViewData, sender uint64) {
	vd, sequence := v.readWaitingFor(svd)
	if vd == nil || sender == v.SelfID {
		return
	}
	mine, _ := v.extractCurrentSequence()
	switch leader := v.getLeader(); {
	case leader == v.SelfID && sequence < mine:
		v.Comm.SendConsensus(sender, v.prepareViewDataMsg())
	case leader == sender && sequence > mine:
		if _, err := ValidateLastDecision(vd, v.quorum, v.N, v.Verifier); err != nil {
			v.Logger.Warnf("Node %d was told of a decision that it cannot believe: %v", v.SelfID, err)
			return
		}
		fetcher, able := v.Controller.(interface{ fetch() })
		if sequence == mine+1 {
			v.takeUp(vd)
		} else if able && v.asked != v.currView {
			v.asked = v.currView // once is enough: it says more as often as this node repeats its own word
			fetcher.fetch()
		}
	}
}

// takeUp delivers the decision that a next leader tells of and a quorum has signed, and sends this node's word again.
func (v *ViewChanger) takeUp(vd *protos.ViewData) {
	signatures := make([]types.Signature, 0, len(vd.LastDecisionSignatures))
	for _, each := range vd.LastDecisionSignatures {
		signatures = append(signatures, types.Signature{ID: each.Signer, Value: each.Value, Msg: each.Msg})
	}
	md := &protos.ViewMetadata{}
	if err := proto.Unmarshal(vd.LastDecision.Metadata, md); err != nil {
		v.Logger.Panicf("the metadata of a decision cannot be read: %v", err)
	}
	v.Logger.Infof("Node %d takes up decision %d before view %d", v.SelfID, md.LatestSequence, v.currView)
	v.deliverDecision(types.Proposal{
		Header:               vd.LastDecision.Header,
		Metadata:             vd.LastDecision.Metadata,
		Payload:              vd.LastDecision.Payload,
		VerificationSequence: int64(vd.LastDecision.VerificationSequence),
	}, signatures)
	v.committedDuringViewChange = md
	select {
	case <-v.stopChan: // the consenters change: everything starts anew
	default:
		v.resendViewData()
	}
}

// fetchWhenBehind asks for the blocks that this next leader lacks, as soon as more than f others, who cannot all lie,
// have more than one that it has not: it cannot judge what they send before.
func (v *ViewChanger) fetchWhenBehind(svd *protos.SignedViewData, sender uint64) {
	vd, sequence := v.readWaitingFor(svd)
	fetcher, able := v.Controller.(interface{ fetch() })
	if vd == nil || !able || v.getLeader() != v.SelfID {
		return
	}
	if mine, _ := v.extractCurrentSequence(); sequence <= mine+1 {
		return
	}
	if v.ahead == nil {
		v.ahead = map[uint64]bool{}
	}
	v.ahead[sender] = true
	if len(v.ahead) <= v.f {
		return
	}
	v.ahead = nil
	v.Logger.Infof("Node %d fetches blocks before it leads view %d", v.SelfID, v.currView)
	fetcher.fetch()
}

// fetch is a sync that starts no view: between two views the one that was left must not go on, or what it decides
// would not be in what this node has said of it.
func (c *Controller) fetch() {
	c.fetching.Store(true)
	c.Sync()
}

// resendViewData tells the next leader again what it may have refused, as it had not reached the view yet.
func (v *ViewChanger) resendViewData() {
	if v.currView == v.realView || v.nextView != v.currView {
		return // not waiting for a new view
	}
	if leader := v.getLeader(); leader != v.SelfID {
		v.Comm.SendConsensus(leader, v.prepareViewDataMsg())
	}
}
"""
SOURCES = {
    Path("internal/bft/controller.go"): Source(
        "18cbd03a9a830dd92ebf6adcacce1d316b0eea4a2f69a1f9debd1b37095b8833", _CONTROLLER
    ),
    Path("internal/bft/util.go"): Source(
        "44c000596588b5a5a2e54807d28cdd718b2e4ce2151dcb5c91022a183dc168d8", _IN_FLIGHT
    ),
    Path("internal/bft/view.go"): Source("d05e9a4dbf5f05e137e1ae80ecb52740049a2758f6ae0eb24851da9a1d862697", _VIEW),
    Path("internal/bft/viewchanger.go"): Source(
        "bb82bb77276c73cec660a4db480a10051833d88465d7579c9c84b7619bb382b0", _VIEW_CHANGER
    ),
    Path("pkg/consensus/consensus.go"): Source(
        "da9e78e238d322d1dccb3f146f0a112052b2dad5b4a4339f37f00923ba810f9a", _CONSENSUS
    ),
}


def apply(module: Path) -> None:
    """Mend a copy of the module's source; either the whole of it or nothing.

    Args:
        module: the root of the copy; its files must be writable.

    Raises: SetupError when a file is not the one that the repair was written for.
    """
    mended = {path: _mended(module / path, source) for path, source in SOURCES.items()}
    for path, text in mended.items():
        (module / path).write_text(text, "utf-8")
    (module / ADDED).write_text(_SETTLE, "utf-8")


def _mended(path: Path, source: Source) -> str:
    refusal = f"the repair of SmartBFT was written for {VERSION}, and this is another: {path.name}"
    remedy = "Pin that version in network/tools/go.mod, or look whether the repair is still needed and write it anew."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{refusal} cannot be read: {error}", remedy) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != source.digest:
        raise SetupError(f"{refusal} has the digest {digest[:16]}…, not {source.digest[:16]}…", remedy)
    text = content.decode("utf-8")
    for old, new in source.edits:
        if text.count(old) != 1:
            raise SetupError(f"{refusal} has {old.strip()!r} {text.count(old)} times, not once", remedy)
        text = text.replace(old, new)
    return text
