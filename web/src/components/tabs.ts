/** What Tabs tell the Tab inside them. */

export const TABS = Symbol('tabs');

export interface TabsContext {
  /** The id of the Tabs node. */
  tabs: () => number;
  shows: (tab: number) => boolean;
}
