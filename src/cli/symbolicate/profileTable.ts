/** A table of a processed profile, columns side by side; which there are depends on the version. */
export interface ProfileTable {
  length: number;
  [column: string]: unknown;
}

/** What stands in one place of all columns. */
export type Row = Record<string, unknown>;

/** A table with the same columns and no rows. */
export function emptyTable(table: ProfileTable): ProfileTable {
  return {
    ...Object.fromEntries(
      Object.entries(table).map(([name, column]) => [name, Array.isArray(column) ? [] : column]),
    ),
    length: 0,
  };
}

export function rowOf(table: ProfileTable, index: number): Row {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, column]) => (Array.isArray(column) ? [[name, column[index]]] : [])),
  );
}

/** Adds what `row` has of the table's columns, and gives its place. */
export function addRow(table: ProfileTable, row: Row): number {
  for (const [name, column] of Object.entries(table))
    if (Array.isArray(column)) column.push(row[name] ?? null);
  return table.length++;
}
