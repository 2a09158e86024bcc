// What the theme leaves to be said to assistive technology.
document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "All pages");
document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
for (const caption of document.querySelectorAll(".sidebar-tree .caption")) caption.setAttribute("aria-level", "2");
// What scrolls sideways is reached by keyboard too.
for (const box of document.querySelectorAll("pre, .table-wrapper")) box.tabIndex = 0;
