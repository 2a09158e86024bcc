// What both pages have: whoever links to them puts token and order behind the #, which no server's log ever has.
const given = new URLSearchParams(location.hash.slice(1));

export const token = given.get("token");
export const orderId = given.get("order");

export const at = (id) => document.getElementById(id);

/** Shows how live the page is. */
export const say = (words) => {
  at("live").textContent = words;
};
