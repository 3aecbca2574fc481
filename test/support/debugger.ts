/** A debugger that looks into a service's threads while it runs, by the inspector's protocol: they are its NodeWorker domain. */
import { once } from "node:events";

interface Message {
  method?: string;
  params?: { sessionId: string; workerInfo?: { url: string } };
}

/** A thread that the debugger knows. */
interface Session {
  url: string;
  /** Each learns whether the thread has evaluated its expression, or is gone. */
  waiting: ((hasEvaluated: boolean) => void)[];
}

/** Attaches to a process at the address that it has for debuggers. */
export async function attachDebugger(address: string) {
  const socket = new WebSocket(address);
  await once(socket, "open");
  let lastId = 0;
  const send = (method: string, params: object) =>
    socket.send(JSON.stringify({ id: ++lastId, method, params }));
  const sessions = new Map<string, Session>();
  socket.addEventListener("message", ({ data }) => {
    const { method, params } = JSON.parse(String(data)) as Message;
    const id = params?.sessionId ?? "";
    const settle = (hasEvaluated: boolean) => {
      for (const learn of sessions.get(id)?.waiting.splice(0) ?? []) learn(hasEvaluated);
    };
    if (method === "NodeWorker.attachedToWorker")
      sessions.set(id, { url: params?.workerInfo?.url ?? "", waiting: [] });
    if (method === "NodeWorker.receivedMessageFromWorker") settle(true);
    if (method === "NodeWorker.detachedFromWorker") {
      settle(false);
      sessions.delete(id);
    }
  });
  send("NodeWorker.enable", { waitForDebuggerOnStart: false });
  return {
    /** Evaluates an expression in the threads of an entry, such as `converterThread.ts`; resolves with the number of those that have. */
    async evaluate(entry: string, expression: string): Promise<number> {
      const message = JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } });
      const threads = [...sessions].filter(([, { url }]) => url.endsWith(`/${entry}`));
      const evaluated = threads.map(([sessionId, { waiting }]) => {
        send("NodeWorker.sendMessageToWorker", { sessionId, message });
        return new Promise<boolean>((learn) => waiting.push(learn));
      });
      return (await Promise.all(evaluated)).filter(Boolean).length;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
