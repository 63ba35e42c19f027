// A batch of documents, hashed by several threads.
#ifndef LEDGER_NODE_BATCH_H
#define LEDGER_NODE_BATCH_H

#include <functional>

#include "documents.h"

// How a batch is hashed.
struct Plan {
  Engine streams;    // for documents that are few or very long
  bool lanes;        // for all others
  bool leave_long;   // leave the long ones to the caller, with the error LEFT: its own way is faster than the streams
  int threads;
};

// Hashes every document that has no error yet; none is left without a digest or an error.
void hash_documents(Document* documents, size_t count, const Plan& plan);

// Runs `work(i)` for i in 0..threads-1, the first on this thread; throws what any of them threw. With fewer threads than
// asked for, when the system gives no more, `work` runs less often: it must take what there is to do from a shared place.
void on_threads(int threads, const std::function<void(int)>& work);

// Looks at every file of the documents, on several threads.
void look_at_files(Document* documents, size_t count, int threads);

// How many of the threads are worth starting.
int worthwhile_threads(const Document* documents, size_t count, int threads);

#endif
