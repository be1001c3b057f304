// What every part of the console's script uses: finding elements, and the words of the page.
export const $ = (selector, root) => (root || document).querySelector(selector);
export const $$ = (selector, root) => [...(root || document).querySelectorAll(selector)];
export const { body } = document;
export const said = name => $('#words').dataset[name];
export const say = text => {
  $('#said').textContent = text;
};
export const alarm = text => {
  $('#alarm').textContent = text;
};
