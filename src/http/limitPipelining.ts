import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that are handled at the same time. */
const maxInFlight = 8;

interface Pipeline {
  inFlight: number;
  /** Requests that have been received but are not handled yet. */
  waiting: [IncomingMessage, ServerResponse][];
}

/**
 * Passes requests on to `app`, only a few of each connection at the same time, and stops reading from the connection meanwhile:
 * a client may write thousands at once and read none of the responses.
 */
export function limitPipelining(app: RequestListener): RequestListener {
  const pipelines = new WeakMap<Socket, Pipeline>();

  const handle = (pipeline: Pipeline, request: IncomingMessage, response: ServerResponse) => {
    pipeline.inFlight++;
    response.once("close", () => {
      pipeline.inFlight--;
      const next = pipeline.waiting.shift();
      if (next && !request.socket.destroyed) handle(pipeline, ...next);
      if (pipeline.waiting.length === 0) request.socket.resume();
    });
    app(request, response);
  };

  return (request, response) => {
    const { socket } = request;
    const pipeline = pipelines.get(socket) ?? { inFlight: 0, waiting: [] };
    if (!pipelines.has(socket)) {
      pipelines.set(socket, pipeline);
      // Node resumes a connection that it has paused itself.
      socket.on("resume", () => pipeline.waiting.length > 0 && socket.pause());
    }
    if (pipeline.inFlight < maxInFlight) return handle(pipeline, request, response);
    pipeline.waiting.push([request, response]);
    socket.pause();
  };
}
