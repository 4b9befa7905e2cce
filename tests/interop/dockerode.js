// Uses every method that dockerode has for a single engine, and checks what comes back.
//
// DOCKER_HOST names the engine, which has an image busybox; what is made is named sdk-… and has the label sdk. Started by `sdk`.
'use strict';
const assert = require('assert');
const { PassThrough, Readable } = require('stream');
const { execFileSync } = require('child_process');
const Docker = require('dockerode');

const docker = new Docker({ socketPath: process.env.DOCKER_HOST.replace('unix://', ''), version: 'v1.45', timeout: 20000 });
const MINE = { label: ['sdk=node'] };
const FOREVER = ['sh', '-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'];
const checks = [];
const check = (name, run) => checks.push([name, run]);

const make = (name, Cmd, options = {}) =>
  docker.createContainer({ Image: 'busybox', Cmd, name: 'sdk-' + name, Labels: { sdk: 'node' }, ...options });
const refused = (status, words, promise) => assert.rejects(promise, (error) => {
  assert.strictEqual(error.statusCode, status, error.message);
  assert(error.message.includes(words), error.message);
  return true;
});
async function all(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
// What a multiplexed stream says on stdout and on stderr.
async function both(stream) {
  const out = new PassThrough(), err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  await new Promise((done) => stream.on('end', done));
  out.end(); err.end();
  return [(await all(out)).toString(), (await all(err)).toString()];
}
const tar = () => execFileSync('sh', ['-c', 'd=$(mktemp -d); echo content >$d/put; tar -C $d -c put; rm -r $d']);
const follow = (stream) => new Promise((done, failed) => docker.modem.followProgress(stream, (e, all) => (e ? failed(e) : done(all))));

check('ping, version, info', async () => {
  assert.strictEqual((await docker.ping()).toString(), 'OK');
  assert.strictEqual((await docker.version()).Components[0].Name, 'Engine');
  const info = await docker.info();
  assert.strictEqual(info.Containers, info.ContainersRunning + info.ContainersPaused + info.ContainersStopped);
});
check('df', async () => {
  const is = await docker.df();
  assert(is.Images.some((i) => i.RepoTags.includes('busybox:latest')) && is.LayersSize > 0 && Array.isArray(is.Volumes));
});
check('getEvents', async () => {
  const stream = await docker.getEvents({ filters: { label: ['sdk=node'], event: ['create'] } });
  const first = new Promise((done) => stream.once('data', done));
  const made = await make('events', ['true']);
  const event = JSON.parse(await first);
  stream.destroy();
  assert.deepStrictEqual([event.Type, event.Action, event.id], ['container', 'create', made.id]);
  await made.remove();
});
check('createContainer, inspect, start, wait, logs, remove', async () => {
  const made = await make('one', ['sh', '-c', 'echo $A; echo bad >&2; exit 5'], {
    Env: ['A=b'], ExposedPorts: { '80/tcp': {} }, HostConfig: { Memory: 67108864, Dns: ['10.0.0.1'], PidsLimit: 20 } });
  const is = await made.inspect({ size: true });
  assert.deepStrictEqual([is.Name, is.State.Status, is.HostConfig.Memory, is.HostConfig.PidsLimit, is.SizeRw], ['/sdk-one', 'created', 67108864, 20, 0]);
  const waited = made.wait({ condition: 'next-exit' });
  await made.start();
  assert.deepStrictEqual(await waited, { StatusCode: 5 });
  const [out, err] = await both(Readable.from([await made.logs({ stdout: true, stderr: true })]));
  assert.deepStrictEqual([out, err], ['b\n', 'bad\n']);
  await refused(304, 'container already stopped', made.stop());
  await made.remove({ v: true });
  await refused(404, 'No such container', made.inspect());
});
check('logs, followed', async () => {
  const made = await make('follow', ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.1; done']);
  await made.start();
  assert.deepStrictEqual(await both(await made.logs({ follow: true, stdout: true })), ['1\n2\n3\n', '']);
  await made.remove();
});
check('attach through hijack', async () => {
  const made = await make('attach', ['sh', '-c', 'read x; echo got $x'], { OpenStdin: true, StdinOnce: true });
  const stream = await made.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  const said = both(stream);
  await made.start();
  stream.write('word\n');
  assert.deepStrictEqual(await said, ['got word\n', '']);
  await made.remove({ force: true });
});
check('run', async () => {
  const out = new PassThrough();
  const [status, made] = await docker.run('busybox', ['sh', '-c', 'echo run; exit 2'], out, { Labels: { sdk: 'node' }, Tty: false });
  assert.strictEqual(status.StatusCode, 2);
  await made.remove({ v: true });
});
check('createContainer, for those that follow', async () => {
  const made = await make('up', FOREVER);
  await made.start();
  await refused(304, 'container already started', made.start());
});
const up = docker.getContainer('sdk-up');
check('pause and unpause', async () => {
  await up.pause();
  assert.strictEqual((await up.inspect()).State.Paused, true);
  await up.unpause();
  assert.strictEqual((await up.inspect()).State.Status, 'running');
});
check('update', async () => {
  await up.update({ CpuShares: 300, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 4 } });
  const { HostConfig } = await up.inspect();
  assert.deepStrictEqual([HostConfig.CpuShares, HostConfig.RestartPolicy], [300, { Name: 'on-failure', MaximumRetryCount: 4 }]);
});
check('rename', async () => {
  await up.rename({ name: 'sdk-other' });
  const other = docker.getContainer('sdk-other');
  assert.strictEqual((await other.inspect()).Name, '/sdk-other');
  await other.rename({ name: 'sdk-up' });
});
check('restart', async () => {
  const before = (await up.inspect()).State.StartedAt;
  await up.restart({ t: 20 });
  const { State } = await up.inspect();
  assert(State.Running && State.StartedAt !== before);
});
check('stats', async () => {
  const is = await up.stats({ stream: false });
  assert(is.cpu_stats.cpu_usage.total_usage > 0 && is.memory_stats.usage > 0 && is.name === '/sdk-up');
});
check('exec, its start, inspect and resize', async () => {
  const exec = await up.exec({ Cmd: ['sh', '-c', 'read x; echo $x; exit 3'], AttachStdin: true, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: true });
  const said = both(stream);
  stream.write('typed\n');
  assert.deepStrictEqual(await said, ['typed\n', '']);
  const is = await exec.inspect();
  assert.deepStrictEqual([is.ID, is.Running, is.ExitCode, is.ProcessConfig.entrypoint], [exec.id, false, 3, 'sh']);
  const terminal = await up.exec({ Cmd: ['sh', '-c', 'read x; stty size'], AttachStdin: true, AttachStdout: true, Tty: true });
  const screen = await terminal.start({ hijack: true, stdin: true, Tty: true });
  await terminal.resize({ h: 31, w: 101 });
  const shown = all(screen);
  screen.write('\n');
  assert((await shown).toString().endsWith('31 101\r\n'));
});
check('putArchive, infoArchive, getArchive', async () => {
  await up.putArchive(tar(), { path: '/etc' });
  const info = await up.infoArchive({ path: '/etc/put' });
  const stat = JSON.parse(Buffer.from(info.headers['x-docker-container-path-stat'], 'base64'));
  assert.deepStrictEqual([stat.name, stat.size], ['put', 8]);
  assert((await all(await up.getArchive({ path: '/etc/put' }))).includes('content\n'));
});
check('changes and export', async () => {
  assert((await up.changes()).some((c) => c.Path === '/etc/put' && c.Kind === 1));
  assert((await all(await up.export())).includes('etc/put'));
});
check('listContainers', async () => {
  const is = await docker.listContainers({ filters: MINE });
  assert.deepStrictEqual(is.map((c) => [c.Names[0], c.State, c.Image]), [['/sdk-up', 'running', 'busybox']]);
});
check('commit, image inspect, history, tag, get, remove, loadImage', async () => {
  const { Id } = await up.commit({ repo: 'sdk-node', tag: 'one', comment: 'why', changes: 'ENV X=y' });
  const image = docker.getImage('sdk-node:one');
  const is = await image.inspect();
  assert.deepStrictEqual([is.Id, is.Comment, is.Config.Env.includes('X=y')], [Id, 'why', true]);
  assert.strictEqual((await image.history()).length, 2);
  await image.tag({ repo: 'sdk-node', tag: 'two' });
  assert.deepStrictEqual((await image.inspect()).RepoTags.sort(), ['sdk-node:one', 'sdk-node:two']);
  const saved = await all(await image.get());
  assert.deepStrictEqual(await docker.getImage('sdk-node:two').remove(), [{ Untagged: 'sdk-node:two' }]);
  assert.deepStrictEqual((await image.remove())[0], { Untagged: 'sdk-node:one' });
  const said = await follow(await docker.loadImage(Readable.from([saved])));
  assert(said.some((line) => line.stream === 'Loaded image: sdk-node:one\n'), JSON.stringify(said));
  assert.strictEqual((await all(await docker.getImages({ names: ['sdk-node:one'] }))).length > 1000, true);
});
check('importImage and listImages', async () => {
  const said = await follow(await docker.importImage(Readable.from([tar()]), { repo: 'sdk-node', tag: 'imported' }));
  assert(said[0].status.startsWith('sha256:'), JSON.stringify(said));
  const is = await docker.listImages({ filters: { reference: ['sdk-node'] } });
  assert.deepStrictEqual(is.flatMap((i) => i.RepoTags).sort(), ['sdk-node:imported', 'sdk-node:one']);
  for (const tag of ['imported', 'one']) await docker.getImage('sdk-node:' + tag).remove();
});
check('pull and distribution without a registry', async () => {
  await refused(500, 'dial tcp', docker.pull('127.0.0.1:1/x:one'));
  await refused(500, 'connection refused', docker.getImage('127.0.0.1:1/x:one').distribution());
  await refused(400, 'invalid registry endpoint "http://127.0.0.1:1/v1/". HTTPS attempt: ', docker.searchImages({ term: '127.0.0.1:1/x' }));
  await refused(500, 'connection refused', docker.checkAuth({ username: 'u', password: 'p', serveraddress: '127.0.0.1:1' }));
  await docker.getImage('busybox').tag({ repo: '127.0.0.1:1/x', tag: 'one' });
  const said = await new Promise((done) => docker.getImage('127.0.0.1:1/x').push({ tag: 'one' }, (e, stream) =>
    docker.modem.followProgress(stream, (error, lines) => done(error ? error.message : JSON.stringify(lines)))));
  assert(said.includes('connection refused'), said);
  await docker.getImage('127.0.0.1:1/x:one').remove();
});
check('wait, logs, top, resize and checkpoints', async () => {
  const made = await make('waits', ['sh', '-c', 'for i in 1 2 3; do echo $i; done; exit 6'], { Tty: true });
  await refused(409, 'is not running', made.resize({ h: 1, w: 1 }));
  const removed = made.wait({ condition: 'removed' });
  await made.start();
  assert.deepStrictEqual(await made.wait(), { StatusCode: 6 });
  assert.strictEqual((await made.logs({ stdout: true, tail: 2 })).toString(), '2\r\n3\r\n');
  await refused(400, 'invalid condition', made.wait({ condition: 'bogus' }));
  await assert.rejects(made.top(), (error) => [409, 500].includes(error.statusCode));
  await made.remove();
  assert.deepStrictEqual(await removed, { StatusCode: 6 });
});
check('an exec by its id, and lists that are empty', async () => {
  const exec = await up.exec({ Cmd: ['true'], AttachStdout: true });
  assert.strictEqual((await docker.getExec(exec.id).inspect()).ContainerID, (await up.inspect()).Id);
  await exec.start({ Detach: true });
  await refused(404, 'No such exec instance', docker.getExec('nosuch').inspect());
  assert.deepStrictEqual(await docker.listPlugins(), []);
  assert.deepStrictEqual(await docker.listContainers({ filters: { label: ['nosuch'] } }), []);
  await refused(400, "invalid filter 'bogus'", docker.listImages({ filters: { bogus: ['x'] } }));
  const [status] = await docker.run('busybox', ['sh', '-c', 'exit 7'], new PassThrough(), { Labels: { sdk: 'node' }, Tty: true, HostConfig: { AutoRemove: true } });
  assert.strictEqual(status.StatusCode, 7);
});
check('volumes', async () => {
  const made = await docker.createVolume({ Name: 'sdk-node', Labels: { sdk: 'node' } });
  assert.deepStrictEqual([(await made.inspect()).Driver, (await docker.listVolumes({ filters: MINE })).Volumes.length], ['local', 1]);
  await made.remove();
  await refused(404, 'get sdk-node: no such volume', made.inspect());
  await docker.createVolume({ Name: 'sdk-node', Labels: { sdk: 'node' } });
  const pruned = await docker.pruneVolumes({ filters: { label: ['sdk=node'], all: ['true'] } });
  assert.deepStrictEqual(pruned, { VolumesDeleted: ['sdk-node'], SpaceReclaimed: 0 });
});
check('networks', async () => {
  const made = await docker.createNetwork({ Name: 'sdk-node', Labels: { sdk: 'node' } });
  await made.connect({ Container: 'sdk-up', EndpointConfig: { Aliases: ['alias'] } });
  assert.strictEqual(Object.values((await made.inspect()).Containers)[0].Name, 'sdk-up');
  assert.deepStrictEqual((await docker.listNetworks({ filters: MINE })).map((n) => n.Name), ['sdk-node']);
  await made.disconnect({ Container: 'sdk-up' });
  assert.deepStrictEqual((await made.inspect()).Containers, {});
  await made.remove();
  await refused(404, 'not found', made.inspect());
  await docker.createNetwork({ Name: 'sdk-node', Labels: { sdk: 'node' } });
  assert.deepStrictEqual(await docker.pruneNetworks({ filters: MINE }), { NetworksDeleted: ['sdk-node'] });
});
check('kill, stop, pruneContainers, pruneImages', async () => {
  await up.kill({ signal: 'SIGKILL' });
  assert.strictEqual((await up.wait()).StatusCode, 137);
  await refused(409, 'is not running', up.kill());
  const { Id } = await up.inspect();
  assert.deepStrictEqual((await docker.pruneContainers({ filters: MINE })).ContainersDeleted, [Id]);
  assert.deepStrictEqual(await docker.pruneImages({ filters: MINE }), { ImagesDeleted: null, SpaceReclaimed: 0 });
});

async function clean() {
  for (const { Id } of await docker.listContainers({ all: true, filters: MINE })) await docker.getContainer(Id).remove({ force: true, v: true });
  for (const { Id } of await docker.listNetworks({ filters: MINE })) await docker.getNetwork(Id).remove();
  for (const { Name } of (await docker.listVolumes({ filters: MINE })).Volumes || []) await docker.getVolume(Name).remove();
  for (const { Id } of await docker.listImages({ filters: { reference: ['sdk-*'] } })) await docker.getImage(Id).remove({ force: true });
}
async function main() {
  await clean();
  let failed = 0;
  for (const [name, run] of checks) {
    try {
      await run();
      console.log('ok ' + name);
    } catch (error) {
      failed++;
      console.log('not ok ' + name + ': ' + error.message);
    }
  }
  await clean();
  console.log(`dockerode: ${checks.length - failed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
main().catch((error) => { console.error(error); process.exit(1); });
