"""Files of facilities, read into bundles: `chaos` for exports of !CHAOS sites, `facility` for our
own format. A reader knows no server: file in, items with their places and findings out."""
