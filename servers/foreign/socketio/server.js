// A pub/sub server on Socket.IO 4: a room per topic, an acknowledgement for each request.
const {createServer} = require('node:http');
const {Server} = require('socket.io');

const http = createServer();
const io = new Server(http, {serveClient: false, transports: ['websocket']});
io.on('connection', socket => {
  socket.on('join', (topic, done) => { socket.join(topic); done(); });
  socket.on('say', (topic, payload, done) => { io.to(topic).emit('message', payload); done(); });
});
http.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
