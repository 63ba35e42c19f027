package consensus

import (
	"os"
	"testing"
	"time"
)

func TestRepairedAComplaintDoesNotWaitForAChangeOfConsenters(t *testing.T) {
	c := &Consensus{}
	c.consensusLock.Lock() // as a change of the consenters holds it while it waits for those who complain
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Complain(1, true)
	}()
	waitMax, err := time.ParseDuration(os.Getenv("REPAIRED_WAIT_MAX"))
	if err != nil {
		waitMax = time.Minute
	}
	select {
	case <-done:
	case <-time.After(waitMax):
		t.Fatalf("the complaint: still waiting after %s", waitMax)
	}
}
