// Shows the customer's page's notifications where a page may not (Chrome on Android), and brings the page to the front
// when one is pressed. It stands between nobody and the network.
addEventListener("install", () => skipWaiting());

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { page } = event.notification.data;
  const shown = async () => {
    const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
    const open = windows.find(({ url }) => url === page);
    await (open ? open.focus() : clients.openWindow(page));
  };
  event.waitUntil(shown());
});
