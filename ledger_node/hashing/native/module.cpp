// The Python side of the processor's engines: takes buffers, paths and descriptors, releases the interpreter once a batch.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#include <new>
#include <vector>

#include "batch.h"
#include "engines.h"
#include "pack.h"

namespace {

const char* const ENGINE_NAMES[] = {"scalar", "sha-ni", "avx512"};
PyObject* backend_names[3];
PyTypeObject* descriptor_type;  // of ledger_node.hashing.sources: an open file
PyTypeObject* hashed_type;      // and a digest, its size in bytes and the backend's name, a tuple
newfunc new_tuple;

// What Python handed over, kept alive while it is hashed. A source of no known kind is LEFT to the caller.
class Sources {
 public:
  // Returns false with a Python exception set.
  bool take(PyObject* sequence) {
    held_ = PySequence_Tuple(sequence);
    if (!held_) return false;
    size_t count = (size_t)PyTuple_Size(held_);
    documents.resize(count);
    for (size_t i = 0; i < count; ++i) {
      PyObject* source = PyTuple_GetItem(held_, (Py_ssize_t)i);
      Document& document = documents[i];
      bool known = PyBytes_Check(source)           ? take_bytes(source, document)
                   : Py_TYPE(source) == descriptor_type ? take_descriptor(source, document)
                   : PyObject_CheckBuffer(source)  ? take_buffer(source, document)
                                                   : take_path(source, document);
      if (known) continue;
      PyErr_Clear();
      document.error = LEFT;
    }
    return true;
  }

  ~Sources() {
    for (Py_buffer& view : views_) PyBuffer_Release(&view);
    for (PyObject* path : paths_) Py_DecRef(path);
    Py_XDECREF(held_);
  }

  std::vector<Document> documents;

 private:
  static bool take_bytes(PyObject* source, Document& document) {
    document.data = (const u8*)PyBytes_AsString(source);
    document.size = (u64)PyBytes_Size(source);
    return true;
  }

  static bool take_descriptor(PyObject* source, Document& document) {
    PyObject* fd = PyObject_GetAttrString(source, "fd");
    if (!fd) return false;
    long number = PyLong_AsLong(fd);
    Py_DecRef(fd);
    document.fd = (int)number;
    return number >= 0 && number == document.fd;
  }

  bool take_buffer(PyObject* source, Document& document) {
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) != 0) return false;
    views_.push_back(view);
    document.data = view.buf ? (const u8*)view.buf : (const u8*)"";
    document.size = (u64)view.len;
    return true;
  }

  bool take_path(PyObject* source, Document& document) {
    PyObject* path = nullptr;
    if (!PyUnicode_FSConverter(source, &path)) return false;
    paths_.push_back(path);
    document.path = PyBytes_AsString(path);
    return true;
  }

  PyObject* held_ = nullptr;
  std::vector<Py_buffer> views_;
  std::vector<PyObject*> paths_;
};

// Releases the interpreter while it lives.
class Released {
 public:
  Released() : state_(PyEval_SaveThread()) {}
  ~Released() { PyEval_RestoreThread(state_); }

 private:
  PyThreadState* state_;
};

bool plan_for(const char* engine, int threads, Plan& plan) {
  if (!strcmp(engine, "scalar"))
    plan = {SCALAR, false, false, threads};
  else if (!strcmp(engine, "sha-ni") && has_sha_ni())
    plan = {SHA_NI, false, false, threads};
  else if (!strcmp(engine, "avx512") && has_lanes())
    plan = {has_sha_ni() ? SHA_NI : SCALAR, true, !has_sha_ni(), threads};
  else
    return PyErr_Format(PyExc_ValueError, "this processor has no engine %s", engine), false;
  return true;
}

// Appends a new reference, which this takes; false with a Python exception set.
bool append(PyObject* list, PyObject* item) {
  bool done = item && PyList_Append(list, item) == 0;
  Py_XDECREF(item);
  return done;
}

PyObject* hashed_of(const Document& document) {
  PyObject* digest = PyBytes_FromStringAndSize((const char*)document.digest, sizeof document.digest);
  PyObject* size = PyLong_FromUnsignedLongLong(document.size);
  PyObject* fields = digest && size ? PyTuple_Pack(3, digest, size, backend_names[document.engine]) : nullptr;
  PyObject* arguments = fields ? PyTuple_Pack(1, fields) : nullptr;
  PyObject* hashed = arguments ? new_tuple(hashed_type, arguments, nullptr) : nullptr;
  Py_XDECREF(digest);
  Py_XDECREF(size);
  Py_XDECREF(fields);
  Py_XDECREF(arguments);
  return hashed;
}

bool append_failure(PyObject* failures, size_t index, int error) {
  return append(failures, Py_BuildValue("ni", (Py_ssize_t)index, error));
}

PyObject* hash_batch(PyObject*, PyObject* args) {
  PyObject* sequence;
  const char* engine;
  int threads;
  if (!PyArg_ParseTuple(args, "Osi", &sequence, &engine, &threads)) return nullptr;
  Plan plan;
  if (!plan_for(engine, threads, plan)) return nullptr;
  try {
    Sources sources;
    if (!sources.take(sequence)) return nullptr;
    {
      Released released;
      hash_documents(sources.documents.data(), sources.documents.size(), plan);
    }
    PyObject *hashed = PyList_New(0), *failures = PyList_New(0);
    bool done = hashed && failures;
    for (size_t i = 0; done && i < sources.documents.size(); ++i) {
      const Document& document = sources.documents[i];
      if (document.error) done = append_failure(failures, i, document.error);
      done = done && append(hashed, hashed_of(document));
    }
    PyObject* both = done ? PyTuple_Pack(2, hashed, failures) : nullptr;
    Py_XDECREF(hashed);
    Py_XDECREF(failures);
    return both;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyObject* pack_slab(PyObject*, PyObject* args) {
  PyObject* sequence;
  Py_buffer slab;
  Slice slice;
  int threads;
  if (!PyArg_ParseTuple(args, "Ow*KKi", &sequence, &slab, &slice.first_block, &slice.blocks_max, &threads))
    return nullptr;
  PyObject *answer = nullptr, *sizes = PyList_New(0), *failures = PyList_New(0);
  try {
    Sources sources;
    if (sizes && failures && sources.take(sequence)) {
      size_t taken, count = sources.documents.size();
      std::vector<u32> start(count), blocks(count);
      {
        Released released;
        u64 slab_blocks = (u64)slab.len / 64 < 0xffffffffull ? (u64)slab.len / 64 : 0xffffffffull;
        taken = pack_documents(sources.documents.data(), count, slice, (u8*)slab.buf, slab_blocks, start.data(),
                               blocks.data(), threads);
      }
      bool done = true;
      for (size_t i = 0; done && i < taken; ++i) {
        done = append(sizes, PyLong_FromUnsignedLongLong(sources.documents[i].size));
        if (done && sources.documents[i].error) done = append_failure(failures, i, sources.documents[i].error);
      }
      Py_ssize_t bytes = (Py_ssize_t)(taken * sizeof(u32));
      if (done) answer = Py_BuildValue("y#y#OO", start.data(), bytes, blocks.data(), bytes, sizes, failures);
    }
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  Py_XDECREF(sizes);
  Py_XDECREF(failures);
  PyBuffer_Release(&slab);
  return answer;
}

PyObject* unpack_digests(PyObject*, PyObject* args) {
  Py_buffer state;
  Py_ssize_t count;
  if (!PyArg_ParseTuple(args, "y*n", &state, &count)) return nullptr;
  PyObject* digests = nullptr;
  if (count < 0 || state.len / 32 != count || state.len % 32) {
    PyErr_Format(PyExc_ValueError, "%zd documents have a state of %zd bytes, not %zd", count, count * 32, state.len);
  } else {
    digests = PyList_New(0);
    const u8* words = (const u8*)state.buf;
    for (Py_ssize_t t = 0; digests && t < count; ++t) {
      u32 digest[8];
      for (Py_ssize_t i = 0; i < 8; ++i) memcpy(&digest[i], words + 4 * (i * count + t), 4);
      for (u32& word : digest) word = __builtin_bswap32(word);
      if (!append(digests, PyBytes_FromStringAndSize((const char*)digest, sizeof digest))) Py_CLEAR(digests);
    }
  }
  PyBuffer_Release(&state);
  return digests;
}

PyObject* engines(PyObject*, PyObject*) {
  PyObject* names = PyList_New(0);
  bool there[] = {true, has_sha_ni(), has_lanes()};
  for (int i = 0; names && i < 3; ++i)
    if (there[i] && !append(names, PyUnicode_FromString(ENGINE_NAMES[i]))) Py_CLEAR(names);
  return names;
}

PyMethodDef methods[] = {
    {"engines", engines, METH_NOARGS, "The engines that this processor has."},
    {"hash_batch", hash_batch, METH_VARARGS, "Digests of many documents by one engine."},
    {"pack_slab", pack_slab, METH_VARARGS, "Documents laid out for the CUDA kernel."},
    {"unpack_digests", unpack_digests, METH_VARARGS, "Digests out of the CUDA kernel's states."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", "See ledger_node/hashing/_native.pyi.", -1, methods,
                          nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() {
  PyObject* nouns = PyImport_ImportModule("ledger_node.hashing.sources");
  descriptor_type = nouns ? (PyTypeObject*)PyObject_GetAttrString(nouns, "Descriptor") : nullptr;
  hashed_type = nouns ? (PyTypeObject*)PyObject_GetAttrString(nouns, "Hashed") : nullptr;
  Py_XDECREF(nouns);
  if (!descriptor_type || !hashed_type) return nullptr;
  new_tuple = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
  const char* const names[] = {"native:scalar", "native:sha-ni", "native:avx512"};
  for (int i = 0; i < 3; ++i)
    if (!(backend_names[i] = PyUnicode_InternFromString(names[i]))) return nullptr;
  PyObject* module = PyModule_Create(&definition);
  if (module && (PyModule_AddIntConstant(module, "CHANGED", CHANGED) != 0 ||
                 PyModule_AddIntConstant(module, "NOT_REGULAR", NOT_REGULAR) != 0 ||
                 PyModule_AddIntConstant(module, "LEFT", LEFT) != 0))
    Py_CLEAR(module);
  return module;
}
