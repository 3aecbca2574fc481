import { z } from "zod";

/** The schemas that have a name in the document. */
export const components = z.registry<{ id: string }>();
