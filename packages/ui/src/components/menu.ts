/** How every menu looks. */
export const MENU: string = "z-50 min-w-44 rounded-lg bg-raised p-1 text-ink shadow-pop animate-fade"
export const MENU_ITEM: string =
  "flex h-8 cursor-default select-none items-center gap-2 rounded-md px-2 text-sm outline-none data-highlighted:bg-hover data-disabled:text-ink-3"
