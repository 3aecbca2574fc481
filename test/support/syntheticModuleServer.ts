import { reply, SymbolServer, type Script } from "./symbolServer.ts";
import type { SyntheticModule } from "./syntheticModule.ts";

/** A symbol server that has all made modules, until a script says otherwise for one of them. */
export async function startSyntheticModuleServer(modules: SyntheticModule[]) {
  const scripts = new Map<string, Script>();
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const server = await SymbolServer.start(async (socket, path) => {
    const module = byPath.get(path);
    const script = scripts.get(path) ?? (module ? reply("200 OK", module.symFile) : reply("404 Not Found"));
    await script(socket, path);
  });
  return {
    server,
    /** Lets it do something else for a module, or what it did at first. */
    fault: (module: SyntheticModule, script: Script) => void scripts.set(module.path, script),
    mend: (module: SyntheticModule) => void scripts.delete(module.path),
    hits: (module: SyntheticModule) => server.hits.filter((path) => path === module.path).length,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
