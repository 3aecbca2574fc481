/** What of JavaScript's WebAssembly this project uses. TypeScript declares it with the browser's DOM only. */
declare namespace WebAssembly {
  /** Compiled code. It can be posted to other threads. */
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Instance<Exports> {
    constructor(module: Module, imports: Record<string, Record<string, (...numbers: number[]) => number>>);
    readonly exports: Exports;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
