// The work list: rows open in the task pane, new tasks are announced instead of moving the list.
export function installWorklist() {}
