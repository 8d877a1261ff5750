// A server with its owner, and a site on a page of another origin: what most stories begin with.

import { setUp, Visitor } from "./actors.mjs";
import { launch, person } from "./browser.mjs";
import { shop, site } from "./pages.mjs";
import { Parlour } from "./parlour.mjs";

export class Office {
  /** `page` makes the shop's page of the snippet; `options` are those of the owner's browser; all come by the `proxy` if there is one. */
  static async open({ settings, page = shop, options, proxy } = {}) {
    const office = new Office();
    office.parlour = await Parlour.start({ ...settings, ...(proxy && { PARLOUR_PUBLIC_URL: proxy.url }) });
    if (proxy) proxy.to = `http://${office.parlour.address}`;
    office.shop = await site(() => page(office.snippet ?? ""));
    [office.theirs, office.ours] = await Promise.all([launch(), launch()]);
    const made = await setUp(office.ours, office.parlour, { origins: [office.shop.origin] }, options);
    [office.owner, office.snippet] = [made.page, made.snippet];
    return office;
  }

  get url() {
    return this.parlour.url;
  }

  /** Somebody on the shop's page, with a browser profile of her own. */
  async visitor(options) {
    const visitor = new Visitor(await person(this.theirs, options));
    await visitor.page.goto(this.shop.url);
    return visitor;
  }

  /** Somebody with a ticket that begins with this text. */
  async ticket(text, options) {
    const visitor = await this.visitor(options);
    await visitor.open();
    await visitor.say(text);
    await visitor.tick("Sent");
    return visitor;
  }

  async close() {
    await Promise.all([this.theirs?.close(), this.ours?.close(), this.shop?.close()]);
    await this.parlour?.stop();
  }
}
