import './c2.css';

export const version = __VERSION__ + ' c2';
