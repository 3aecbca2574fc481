/** Entry of the thread that lists the folder: that of a hundred thousand files takes most of a second. */
import { answerAsks } from "../threads/answerAsks.ts";
import { listSymcaches, type ListProtocol } from "./listSymcaches.ts";

answerAsks<ListProtocol>({
  list(folder) {
    const stock = listSymcaches(folder);
    return [stock, [stock.bytes.buffer, stock.used.buffer]];
  },
});
