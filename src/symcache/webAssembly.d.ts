/** What of JavaScript's WebAssembly this project uses. TypeScript declares it with the browser's DOM only. */
declare namespace WebAssembly {
  /** Compiled code. It can be posted to other threads. */
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  class Memory {
    /** In pages of 64 KiB. */
    constructor(size: { initial: number; maximum: number });
    readonly buffer: ArrayBuffer;
  }
  class Instance<Exports> {
    constructor(
      module: Module,
      imports: Record<string, Record<string, Memory | ((...numbers: number[]) => number)>>,
    );
    readonly exports: Exports;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
