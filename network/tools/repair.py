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


_CONTROLLER = (
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
)
_VIEW_CHANGER = (
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
_CONSENSUS = (
    (
        "stopView bool) {\n\tc.consensusLock.RLock()\n",
        "stopView bool) {\n\tif !c.consensusLock.TryRLock() {\n\t\treturn // everything starts anew\n\t}\n",
    ),
)
_SETTLE = """package bft

import (
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
"""
SOURCES = {
    Path("internal/bft/controller.go"): Source(
        "18cbd03a9a830dd92ebf6adcacce1d316b0eea4a2f69a1f9debd1b37095b8833", _CONTROLLER
    ),
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
