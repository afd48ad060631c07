// A pub/sub server on Socket.IO 4: a room per topic, an acknowledgement for each request. A POST publishes, too.
const {createServer} = require('node:http');
const {Server} = require('socket.io');

const http = createServer((request, response) => {
  const {pathname, searchParams} = new URL(request.url, 'http://localhost');
  if (request.method !== 'POST' || pathname !== '/publish') {
    response.writeHead(404).end();
    return;
  }
  let payload = '';
  request.setEncoding('utf8').on('data', part => payload += part).on('end', () => {
    io.to(searchParams.get('topic')).emit('message', payload);
    response.writeHead(204).end();
  });
});
http.keepAliveTimeout = 3600_000; // Node closes a connection after 5 s between two requests, by default
const io = new Server(http, {serveClient: false, allowUpgrades: false});
io.on('connection', socket => {
  socket.on('join', (topic, done) => { socket.join(topic); done(); });
  socket.on('say', (topic, payload, done) => { io.to(topic).emit('message', payload); done(); });
});
http.listen({port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096}, () => console.log('listening'));
