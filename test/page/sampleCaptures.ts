/** Inputs of the page in all formats, with the same two stacks in the modules below. */

/** One path for each kind of source link. */
export const samplePaths = {
  hg: "hg:hg.mozilla.org/mozilla-central:dom/base/Element.cpp:997f00815e6bc28806b75448c8829f0259d2cb28",
  git: "git:github.com/mozilla-firefox/firefox:js/src/vm/Interpreter.cpp:53cb7b09b00cbea8754ffb78e7e3cb521cb8af4b",
  rust: "git:github.com/rust-lang/rust:library/std/src/panicking.rs:53cb7b09b00cbea8754ffb78e7e3cb521cb8af4b",
  cargo: "cargo:github.com-1ecc6299db9ec823:tokio-1.6.1:src/runtime/task/mod.rs",
  generated: "s3:gecko-generated-sources:a5d3747707d6877b/ipc/ipdl/PBackgroundChild.cpp:",
};

export const xul = { debugFilename: "libxul.so", debugId: "1410FAF03AD925211450AE25E0CB9AE50" };
export const firefox = { debugFilename: "firefox", debugId: "F1D957D30B413D55A539BBA06F90DD8F0" };

export const xulSymFile = `MODULE Linux x86_64 ${xul.debugId} ${xul.debugFilename}
FILE 0 ${samplePaths.hg}
FILE 1 ${samplePaths.git}
FILE 2 ${samplePaths.rust}
FILE 3 ${samplePaths.cargo}
FILE 4 ${samplePaths.generated}
INLINE_ORIGIN 0 mozilla::dom::Element::UnsetAttr(int, nsAtom*, bool)
INLINE_ORIGIN 1 core::option::Option<T>::unwrap
FUNC 1000 100 0 mozilla::dom::Element::SetAttribute(nsTSubstring<char16_t> const&, nsTSubstring<char16_t> const&, nsIPrincipal*, mozilla::ErrorResult&)
INLINE 0 1602 0 0 1000 40
1000 40 1588 0
1040 c0 1603 0
FUNC 2000 100 0 js::Interpret(JSContext*, js::RunState&)
2000 100 3451 1
FUNC 3000 100 0 std::panicking::rust_panic_with_hook
INLINE 0 612 2 1 3000 80
3000 80 932 3
3080 80 613 2
FUNC 4000 100 0 mozilla::ipc::PBackgroundChild::OnMessageReceived(IPC::Message const&)
4000 100 77 4
FUNC 5000 100 0 tokio::runtime::task::raw::poll
5000 100 415 3
`;

const base = 0x7f0000000000;
const offsets = [0x1010, 0x2020, 0x3030, 0x4040, 0x5050];

const crashModules = [
  { ...xul, base, end: base + 0x8000000 },
  { ...firefox, base: 0x550000000000, end: 0x550000100000 },
];

function hex(number: number): string {
  return `0x${number.toString(16).padStart(16, "0")}`;
}

/** A crash ping. */
export const crashPing = {
  type: "crash",
  payload: {
    stack_traces: {
      crash_type: "SIGSEGV / SEGV_MAPERR",
      crash_address: "0x0",
      crash_thread: 1,
      modules: crashModules.map(({ debugFilename, debugId, base: start, end }) => ({
        base_address: hex(start),
        end_address: hex(end),
        debug_file: debugFilename,
        debug_id: debugId,
        filename: debugFilename,
      })),
      threads: [
        { frames: [{ ip: hex(0x550000000044), module_index: 1, trust: "context" }] },
        {
          frames: [
            ...offsets.map((offset) => ({ ip: hex(base + offset), module_index: 0, trust: "cfi" })),
            { ip: "0x00000000deadbeef", trust: "scan" },
          ],
        },
      ],
    },
  },
};

/** A frame points into a module without a name or a debug id, such as code that was compiled at run time. */
export const namelessModuleCrash = {
  crash_thread: 0,
  modules: [...crashPing.payload.stack_traces.modules, { base_address: hex(0x660000000000) }],
  threads: [
    {
      frames: [
        ...offsets.map((offset) => ({ ip: hex(base + offset), module_index: 0 })),
        { ip: hex(0x660000000010), module_index: 2 },
      ],
    },
  ],
};

/** A processed crash of crash-stats, which names functions of modules without symbols. */
export const processedCrash = {
  uuid: "2e1f7d6c-0000-4000-8000-000000261125",
  product: "Firefox",
  json_dump: {
    crash_info: { type: "EXCEPTION_ACCESS_VIOLATION_READ", address: "0x00000045", crashing_thread: 0 },
    modules: crashModules.map(({ debugFilename, debugId, base: start, end }) => ({
      base_addr: hex(start),
      end_addr: hex(end),
      debug_file: debugFilename,
      debug_id: debugId,
      filename: debugFilename,
    })),
    threads: [
      {
        thread_name: "MainThread",
        frames: [
          ...offsets.map((offset, frame) => ({
            frame,
            module: "libxul.so",
            module_offset: hex(offset),
            offset: hex(base + offset),
            function: null,
            trust: "cfi",
          })),
          {
            frame: 5,
            module: "firefox",
            module_offset: "0x0000000000000044",
            offset: hex(0x550000000044),
            function: "main",
            file: "browser/app/nsBrowserApp.cpp",
            line: 321,
            inlines: [{ function: "do_main", file: "browser/app/nsBrowserApp.cpp", line: 120 }],
            trust: "scan",
          },
        ],
      },
    ],
  },
};

/** The output of minidump-stackwalk. */
export const minidump = processedCrash.json_dump;

const strings = ["(root)", "0x1010", "0x2020", "frobnicate", "chrome://browser/content/x.js", "0x44"];
const libs = [xul, firefox].map(({ debugFilename, debugId }) => ({
  debugName: debugFilename,
  breakpadId: debugId,
  name: debugFilename,
}));
const tables = {
  stackTable: { frame: [0, 4, 3, 2, 1], prefix: [null, 0, 1, 2, 3], length: 5 },
  frameTable: {
    func: [0, 1, 2, 3, 4],
    address: [-1, 0x1010, 0x2020, -1, 0x44],
    line: [null, null, null, 34, null],
    inlineDepth: [0, 0, 0, 0, 0],
    length: 5,
  },
  funcTable: {
    name: [0, 1, 2, 3, 5],
    resource: [-1, 0, 0, -1, 1],
    fileName: [null, null, null, 4, null],
    length: 5,
  },
  resourceTable: { lib: [0, 1], length: 2 },
};
const samples = { stack: [4, 4, null, 4, 3], length: 5 };

/** A profile as the Firefox profiler stores it: innermost 0x1010 and 0x2020 in libxul, JavaScript, 0x44 in firefox. */
export const processedProfile = {
  meta: { preprocessedProfileVersion: 50 },
  libs,
  threads: [
    { name: "GeckoMain", processType: "default", samples, stringArray: strings, ...tables },
    { name: "Idle", processType: "default", samples: { stack: [] }, stringArray: strings, ...tables },
  ],
};

/** The same in version 70, with shared tables. */
export const sharedProfile = {
  meta: { preprocessedProfileVersion: 70 },
  libs,
  shared: {
    stringArray: strings,
    stackTable: { frame: tables.stackTable.frame, prefixOffset: [0, 1, 1, 1, 1], length: 5 },
    frameTable: { ...tables.frameTable, lib: [-1, 0, 0, -1, 1] },
    funcTable: {
      name: tables.funcTable.name,
      resource: [-1, -1, -1, -1, -1],
      source: [null, null, null, 0, null],
    },
    resourceTable: { length: 0 },
    sources: { filename: [4], length: 1 },
  },
  threads: [{ name: "GeckoMain", processType: "default", samples }],
};

/** The same in Gecko's format: addresses are absolute, and callers have return addresses. */
export const geckoProfile = {
  meta: { version: 30 },
  libs: libs.map((lib, index) => ({
    ...lib,
    start: base + index * 0x10000000,
    end: base + index * 0x10000000 + 0x8000000,
    offset: 0,
  })),
  threads: [
    {
      name: "GeckoMain",
      processType: "default",
      stringTable: [
        "(root)",
        hex(base + 0x1010),
        hex(base + 0x2021),
        "frobnicate (chrome://browser/content/x.js:34:5)",
        hex(base + 0x10000045),
      ],
      frameTable: { schema: { location: 0, line: 1 }, data: [[0], [1], [2], [3, 34], [4]] },
      stackTable: {
        schema: { prefix: 0, frame: 1 },
        data: [
          [null, 0],
          [0, 4],
          [1, 3],
          [2, 2],
          [3, 1],
        ],
      },
      samples: {
        schema: { stack: 0, time: 1 },
        data: [
          [4, 0],
          [4, 1],
          [null, 2],
          [4, 3],
          [3, 4],
        ],
      },
    },
  ],
  processes: [],
};
